"""The control API: JSON-RPC 2.0 over a station, one object a line on stdio or a message on a WebSocket.

`methods` is the table of what can be asked, `dispatch` the protocol, `channels` and `websocket` the two
ways in. The reference for users is `resources/help/control.md`; the tables here are its source and a test
compares them.
"""

CONTROL_VERSION = "1.0"
"""Of this API: the first number changes when something is taken away or changes its meaning."""
