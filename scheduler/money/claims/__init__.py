"""The claims of the source documents: what is claimed, under which readings it is tested, what comes out.

Read `claim_file.py` first, then `verdicts.py`. A claim is tested by the function named after it, in
one of the four files that end in `_claims.py`.
"""
