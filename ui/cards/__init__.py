"""The cards of the wallet: the form of one, where they are kept, what each is known to be good for."""
