"""The gateway's tests: they start the gateway as people do, with the real program behind it, and speak HTTP to it."""
