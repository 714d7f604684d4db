"""Which methods browsers may call, and what the gateway adds to their params."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from parley import Object

from .people import Person
from .refusals import refusal
from .workers import Workers

# What a browser may ask for, of what Parley knows.
FOR_BROWSERS = frozenset(
    """
    createConversation listConversations getConversation updateConversation deleteConversation setConversationBot listMessages
    searchConversations forkConversation exportConversation importConversation rateMessage
    sendMessage regenerateMessage editMessage cancelTurn getTurn
    createBot listBots getBot updateBot deleteBot
    listTools listCommands listModels getQuota deleteUser
    """.split()
)
# What may be sent twice and is done once, or changes nothing, or says how things shall be. An anonymous person who is made twice is one who has
# nothing, and one of those that `address.anonymousUsers` allows.
REPEATABLE_PREFIXES = ("get", "list", "search", "export")
REPEATABLE = frozenset(
    "updateConversation setConversationBot cancelTurn rateMessage claimAnonymousUser createAnonymousUser deleteUser".split()
)
# With these ids Parley knows a request again that is repeated.
REQUEST_IDS = ("clientMessageId", "clientRequestId")
# What only the gateway says.
RESERVED = ("caller", "clientAddress")
# What Parley lets people do whom nobody knows: it makes them known then. Who does two such things at once, in two tabs, is two people: nothing
# tells the gateway that they are one browser's, before the first answer.
INTRODUCES = frozenset({"createConversation", "sendMessage"})
# What is the same for everybody, and is shown before anybody is known: asked for in the name of a user whom no sign-in can give.
FOR_EVERYBODY = frozenset({"listBots", "listCommands", "listModels", "listTools"})
NOBODY = {"userId": "nobody at the gateway"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request to Parley, completed."""

    method: str
    params: Object
    # What decides on which process it is for; see Workers.
    key: str
    is_repeatable: bool


class Methods:
    """The methods that Parley has, by the names of their params."""

    def __init__(self, params: dict[str, frozenset[str]]) -> None:
        self._params = params

    @classmethod
    async def discover(cls, workers: Workers) -> Methods:
        """Asks Parley."""
        document = await workers.call("rpc.discover", {}, "", is_repeatable=True)
        return cls({method["name"]: frozenset(param["name"] for param in method["params"]) for method in document["methods"]})

    @property
    def names(self) -> list[str]:
        """Those that browsers may call."""
        return sorted(FOR_BROWSERS & self._params.keys())

    def check(self, method: str, params: Object) -> None:
        """Raises ParleyError for what a browser may not ask."""
        if method not in FOR_BROWSERS or method not in self._params:
            raise refusal("methodNotFound", 404, f"There is no method {method} here.")
        for name in RESERVED:
            if name in params:
                raise refusal("invalidParams", 400, f"`{name}` is for the gateway to say.", path=name, reason="it is not taken from browsers")

    def complete(self, method: str, params: Object, person: Person) -> Request:
        """Adds who asks, and what lets the gateway ask again after a death of Parley's."""
        known = self._params[method]
        params = dict(params)
        if caller := person.caller or (NOBODY if method in FOR_EVERYBODY else None):
            params["caller"] = caller
        if "clientAddress" in known:
            params["clientAddress"] = person.address
        if "wait" in known:
            # What it says is read where it is shown: GET /api/turns/ID/events.
            params |= {"wait": False, "events" if "events" in known else "stream": False}
        request_id = next((name for name in REQUEST_IDS if name in known), None)
        if request_id and params.get(request_id) is None:
            params[request_id] = str(uuid.uuid4())
        conversation = params.get("conversationId")
        return Request(
            method,
            params,
            conversation if isinstance(conversation, str) else person.key,
            bool(request_id) or method in REPEATABLE or method.startswith(REPEATABLE_PREFIXES),
        )
