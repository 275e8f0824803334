/** The script of index.html: a page that is a client of the hub, and offers operations of its own. */
import { connectSpoke } from "@alkdev/spoke";
import { checkOperations } from "../spoke-sdk/check_operations.ts";

// What comes after "#" is not sent to whoever serves the page.
const given = new URLSearchParams(location.hash.slice(1));
const list = document.querySelector("ul");
let shown = 0;

function show(text: string): void {
  const item = document.createElement("li");
  item.textContent = text;
  list?.append(item);
  shown++;
}

const spoke = connectSpoke({
  url: given.get("url") ?? location.origin,
  // Sent as the subprotocol bearer.<key>: a page cannot set headers on a WebSocket.
  key: given.get("key") ?? "",
  name: "page",
  spokeType: "client",
  operations: [
    {
      namespace: "page",
      name: "show",
      description: "Shows a text on the page; tells how many there are, and what the page may call.",
      inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
      outputSchema: { type: "object", properties: { shown: { type: "integer" }, callable: { type: "array" } } },
      handler: async (input) => {
        show((input as { readonly text: string }).text);
        const { data } = await spoke.call("hub.list", { namespace: "core" });
        const callable = (data as readonly { readonly id: string }[]).map(({ id }) => id);
        return { shown, callable };
      },
    },
    ...(given.has("check") ? checkOperations : []),
  ],
  onState: (state, error) => show(error === undefined ? state : `${state}: ${error.message}`),
});
