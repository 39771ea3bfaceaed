"""The certificates of a station: roots it trusts, its own chains and keys, and requests for new ones.

`book.py` keeps the rows, `x509.py` reads and checks (it alone imports `cryptography`, and is imported only
when there is something to read), `signing.py` carries a request from its key to the signed certificate.

Private keys lie in the table "keys" and nowhere else: not in an event, not in a log, not on the wire.
"""
