"""The claims of the source documents: what is claimed, under which readings it is tested, what comes out."""
