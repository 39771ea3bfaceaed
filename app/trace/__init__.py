"""What happened, kept: the journal of all events, and the exchanges made of its frames.

`journal` writes every event down in order; `exchange` pairs requests with replies into the rows that people
read; `summary` says in a sentence what an exchange was about; `query` finds; `export` hands over.
"""
