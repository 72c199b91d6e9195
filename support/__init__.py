"""What steps are made of; knows no pytest_bdd and no embedded cluster."""
