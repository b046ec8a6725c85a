"""The endpoints of the published contract, by who calls them. No rule lives here."""
