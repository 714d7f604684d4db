"""A web gateway for Parley: people's browsers speak HTTP to it, it speaks JSON-RPC lines to the processes that it spawns.

    host.py      one running `parley serve`
    workers.py   several, each started again when it dies, and which one is asked
    methods.py   which methods browsers may call, and what the gateway adds to their params
    streams.py   a turn as server-sent events
    people.py    who is asking: cookies, and the address
    identity.py  a stub of an identity provider
    app.py       the routes
"""
