"""The rented side: offers, who is out of patience, and which offer a job takes."""
