"""An OCPP client that knows no sockets and no screen: frames, rules, and one personality a version."""
