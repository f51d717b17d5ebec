"""The receive station: a webhook is answered with 2xx only once it is durable, deduplicated and queued.

``signature`` proves who sent the bytes. ``messages`` and ``codat_webhooks`` say what they are and which lane they
belong to. ``receiver`` stores concurrent messages together, one commit for all of them. ``routes`` is the HTTP edge.

Promise: what was acknowledged survives anything and takes effect once; what was not is the sender's to send again.
"""
