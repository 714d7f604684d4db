"""A web gateway for Parley: people's browsers speak HTTP to it, it speaks JSON-RPC lines to the processes that it spawns.

    host.py      one running `parley serve`
    workers.py   several, each started again when it dies, and which one is asked
    methods.py   which methods browsers may call, and what the gateway adds to their params
    events.py    server-sent events, and their room
    streams.py   a turn as server-sent events
    people.py    who is asking: cookies, and the address
    identity.py  a stub of an identity provider
    requests.py  what a request is, and whether it is one of the gateway's own pages
    refusals.py  the gateway's own errors
    app.py       the routes
"""
