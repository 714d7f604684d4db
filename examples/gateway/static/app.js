const messages = document.querySelector("#messages");
const input = document.querySelector("#text");
let conversationId;

async function call(method, params) {
  const response = await fetch(`/api/${method}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(params) });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error.message);
  return body;
}

function show(text) {
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  messages.append(paragraph);
  return paragraph;
}

document.querySelector("#send").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = input.value;
  input.value = "";
  show(text);
  const answer = show("");
  try {
    const { turn } = await call("sendMessage", { text, clientMessageId: crypto.randomUUID(), ...(conversationId && { conversationId }) });
    conversationId = turn.conversationId;
    const events = new EventSource(`/api/turns/${turn.id}/events`);
    events.addEventListener("messageDelta", (event) => answer.append(JSON.parse(event.data).delta));
    events.addEventListener("turnCompleted", (event) => {
      const { message } = JSON.parse(event.data);
      if (message) answer.textContent = message.content.map((part) => part.text ?? "").join("");
    });
    events.addEventListener("end", () => events.close());
  } catch (error) {
    answer.textContent = error.message;
  }
});
