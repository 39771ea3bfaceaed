"""Work with files that goes on over power cuts: firmware updates and uploads of the station's log.

What both versions do alike is here; each adds its messages and its words. A job is a row (row.py has what
all jobs share, job.py an update, upload.py an upload with its course, logs.py what GetLog adds, course.py the
course of an update, standstill.py the time without service that it needs, requests.py what signed ones ask
for); the coroutine that carries it out begins again from that row after a power cut. What it has to tell the
back office waits in rows too (notices.py), so that no step of it is lost over a break of the link. People may
have a step fail or be slow (faults.py).
"""
