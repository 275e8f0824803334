/** A chat page as people write it with AI SDK: `useChat`, its own transport, buttons for what can be asked of it. */
// @ts-types="@types/react"
import { type ChangeEvent, createElement as h, useEffect, useState } from "react";
// @ts-types="@types/react-dom/client"
import { createRoot } from "react-dom/client";
import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses, type UIMessage } from "ai";

interface Settings {
  readonly url: string;
  readonly key: string;
  readonly session: string;
}

const settings: Settings = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const api = `${settings.url}/api/sessions/${settings.session}`;
const headers = { authorization: `Bearer ${settings.key}` };

function Chat({ history }: { readonly history: UIMessage[] }) {
  const [text, setText] = useState("");
  const chat = useChat({
    id: settings.session,
    messages: history,
    resume: true,
    transport: new DefaultChatTransport({
      api: `${api}/stream`,
      headers,
      prepareReconnectToStreamRequest: () => ({ api: `${api}/stream`, headers }),
    }),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
  });
  const { messages, status, error, sendMessage, regenerate, addToolApprovalResponse, stop } = chat;
  const typed = (event: ChangeEvent<HTMLTextAreaElement>) => setText(event.currentTarget.value);
  return h(
    "main",
    { "data-status": status },
    messages.map((message) => h("article", { key: message.id, "data-role": message.role }, partsOf(message))),
    error === undefined ? null : h("p", { id: "error" }, error.message),
    h("textarea", { id: "text", value: text, onChange: typed }),
    button("send", () => {
      void sendMessage({ text });
      setText("");
    }),
    button("again", () => void regenerate()),
    button("stop", async () => {
      await fetch(`${api}/stop`, { method: "POST", headers });
      await stop();
    }),
  );

  function partsOf(message: UIMessage) {
    return message.parts.map((part, at) => {
      if (part.type === "text") return h("p", { key: at }, part.text);
      if (part.type !== "dynamic-tool") return null;
      const asks = part.state === "approval-requested" ? part.approval.id : null;
      return h(
        "section",
        { key: at, "data-tool": part.toolName, "data-state": part.state },
        part.state === "output-available" ? JSON.stringify(part.output) : part.errorText ?? part.state,
        asks === null ? null : button("yes", () => void addToolApprovalResponse({ id: asks, approved: true })),
        asks === null
          ? null
          : button("no", () => void addToolApprovalResponse({ id: asks, approved: false, reason: "not today" })),
      );
    });
  }
}

function button(id: string, onClick: () => void) {
  return h("button", { id, onClick, key: id }, id);
}

function App() {
  const [history, setHistory] = useState<UIMessage[] | null>(null);
  useEffect(() => {
    void fetch(`${api}/ui-messages`, { headers }).then((answer) => answer.json()).then(({ items }) =>
      setHistory(items)
    );
  }, []);
  return history === null ? null : h(Chat, { history });
}

createRoot(document.getElementById("chat")!).render(h(App));
