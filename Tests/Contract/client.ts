// A client as its author may write it with the types of `parley schema --format typescript`, which the tests compile beside it. What is
// marked as an expected error must be one.
import {
  AnswerMessage, Caller, HostNotificationMessage, HostRequestMessage, HostRequests, MethodName, Methods, protocolVersion, RequestMessage,
} from "./protocol";

/** Sends requests as lines and matches answers by their ids. */
export class Client {
  private nextId = 1;
  private readonly waiting = new Map<number, (answer: AnswerMessage) => void>();

  constructor(private readonly send: (line: string) => void) {}

  call<M extends MethodName>(method: M, params: Methods[M]["params"]): Promise<Methods[M]["result"]> {
    const request: RequestMessage<M> = { jsonrpc: "2.0", id: this.nextId++, method, params };
    return new Promise((resolve, reject) => {
      this.waiting.set(request.id as number, (answer) => {
        if ("result" in answer) resolve(answer.result as Methods[M]["result"]);
        else reject(answer.error);
      });
      this.send(JSON.stringify(request));
    });
  }

  answer(answer: AnswerMessage): void {
    if (typeof answer.id === "number") this.waiting.get(answer.id)?.(answer);
  }
}

/** What a notification adds to the screen. */
export function shown(notification: HostNotificationMessage): string {
  switch (notification.method) {
    case "messageDelta":
      return notification.params.delta;
    case "toolCallStarted":
      return `[${notification.params.toolCall.name}]`;
    case "turnCompleted":
      return notification.params.turn.error?.message ?? "";
    default:
      return "";
  }
}

export function approve(request: HostRequestMessage): HostRequests["requestApproval"]["result"] | undefined {
  return request.method === "requestApproval" ? { option: request.params.options[0] ?? "rejectOnce" } : undefined;
}

export async function session(client: Client): Promise<string> {
  const caller: Caller = { userId: "ada" };
  const { protocolVersion: spoken } = await client.call("initialize", { protocolVersion, defaultCaller: caller });
  const { turn, message } = await client.call("sendMessage", { text: "Hello?", botId: null });
  const words: string[] = message?.content.map((part) => (part.type === "text" ? part.text : part.type)) ?? [];
  switch (turn.status) {
    case "completed":
      return `${spoken}: ${words.join("")}`;
    default:
      return turn.error?.data.code === "modelTimeout" ? "Later." : "No.";
  }
}

export const mistakes = [
  // @ts-expect-error There is no such method.
  (client: Client) => client.call("sendMesage", { text: "Hello?" }),
  // @ts-expect-error A field that there is not.
  (client: Client) => client.call("sendMessage", { texts: "Hello?" }),
  // @ts-expect-error A required field is missing.
  (client: Client) => client.call("getTurn", {}),
  // @ts-expect-error A word that nothing is called.
  (client: Client) => client.call("listBots", { scope: "everybody" }),
  // @ts-expect-error Somebody must be named.
  (client: Client) => client.call("ping", { caller: {} }),
  // @ts-expect-error The value may be absent.
  async (client: Client) => (await client.call("sendMessage", { text: "Hello?" })).message.id,
];
