"""Files between the station and servers: HTTP, HTTPS, FTP and FTPS, really done.

`Transfers` (port.py) picks by the scheme of the URL. The libraries are imported with the first transfer:
most stations never move a file, and the memory is better used elsewhere. Whatever goes wrong becomes a
TransferFailed whose sentence names the server but never a password.

Where an upload goes: a URL with a query, or whose last part has a dot, names the file itself; any other
names a folder, as 1.6 has it for GetDiagnostics, and the file's name is put behind it. Over HTTP the file
is PUT there; a server that answers 405 or 501 gets it by POST to the URL as it was given, as the field
`file` of a form.
"""
