"""The built-in training CSMS: a small back office to try a station against.

It stands on the `ocpp` package and on nothing of our own client, so that a misreading of the
specification in one of the two is not hidden by the same misreading in the other. The package routes
what stations send; what people compose for a station goes out as raw JSON, byte for byte.
"""
