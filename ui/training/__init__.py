"""The built-in training CSMS seen from its own side: stations, transactions, tokens, composer, behaviour."""
