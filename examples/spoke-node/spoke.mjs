import WebSocket from "ws";
import { pathToFileURL } from "node:url";

const MAX_CONCURRENCY = 8;
const MAX_ANSWERS = 1_000;

/** @param operations `{"namespace.name": {type, inputSchema, …, handler(input, context)}}` */
export function runSpoke(name, operations) {
  const answers = new Map(); // requestId -> envelope: the last 1,000
  const running = new Map(); // requestId -> {controller, socket}: the socket on which it was last asked for
  let current = null; // the socket on which the spoke is registered
  let leaving = false;
  let resume;
  let attempt = 0;

  const send = (socket, type, payload) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type, id: "", payload }));
  };
  const call = (socket, operationId, input) => {
    const requestId = crypto.randomUUID();
    send(socket, "call.requested", { requestId, operationId, input });
    return requestId;
  };

  function connect() {
    const { HUB_URL, HUB_KEY } = process.env;
    const socket = new WebSocket(HUB_URL, { headers: { authorization: `Bearer ${HUB_KEY}` } });
    let heartbeat, registration;
    socket.on("open", () => {
      const specs = Object.entries(operations).map(([id, { handler: _, ...spec }]) => {
        const dot = id.indexOf(".");
        return { namespace: id.slice(0, dot), name: id.slice(dot + 1), version: "1.0.0", ...spec };
      });
      registration = call(socket, "hub.register", { name, maxConcurrency: MAX_CONCURRENCY, operations: specs, resume });
    });
    socket.on("message", (data, isBinary) => {
      const message = isBinary ? null : parse(data);
      if (message === null) return; // it makes no sense, or a newer hub says more than is known here
      const { type, payload } = message;
      const { requestId } = payload;
      if (requestId === registration && type === "call.error") {
        console.error(`The hub refuses: ${payload.code}: ${payload.message}`);
        process.exit(1);
      } else if (requestId === registration && type === "call.responded") {
        ({ resume } = payload.output.data);
        current = socket;
        attempt = 0;
        heartbeat = setInterval(
          () => call(socket, "hub.heartbeat", { load: Math.min(1, running.size / MAX_CONCURRENCY) }),
          payload.output.data.heartbeatMs,
        );
        if (leaving) leave();
      } else if (type === "call.requested" && typeof requestId === "string") start(payload, socket);
      else if (type === "call.aborted") {
        running.get(requestId)?.controller.abort();
        running.delete(requestId);
        leaveWhenIdle();
      } else if (type === "hub.drain") leave();
    });
    socket.on("error", () => {}); // "close" follows
    socket.on("close", (code) => {
      clearInterval(heartbeat);
      if (current === socket) current = null;
      if (code === 1000 && leaving) process.exit(0);
      const bound = Math.min(10_000, 100 * 2 ** attempt++);
      setTimeout(connect, bound / 2 + Math.random() * bound / 2);
    });
  }

  async function start({ requestId, operationId, input }, socket) {
    const known = running.get(requestId);
    if (known) return void (known.socket = socket); // asked for again: it goes on, and answers here
    if (answers.has(requestId)) return socket.send(answers.get(requestId));
    const entry = { controller: new AbortController(), socket };
    running.set(requestId, entry);
    const say = (type, payload) => send(entry.socket, type, { requestId, ...payload });
    const respond = (data) => {
      const output = { data: data ?? null, meta: { source: "local", operationId, timestamp: Date.now() } };
      return { output };
    };
    let type = "call.responded", payload;
    try {
      const operation = Object.hasOwn(operations, operationId) ? operations[operationId] : undefined;
      if (!operation) throw Object.assign(new Error(`No operation ${operationId}`), { code: "OPERATION_NOT_FOUND" });
      const context = {
        signal: entry.controller.signal,
        progress: (value) => call(entry.socket, "hub.progress", { requestId, value }),
        log: (level, message) => call(entry.socket, "hub.log", { requestId, level, message }),
      };
      const result = operation.handler(input, context);
      if (operation.type === "subscription") {
        for await (const chunk of result) {
          if (running.get(requestId) !== entry) return;
          say("call.responded", respond(chunk));
        }
        [type, payload] = ["call.completed", {}];
      } else payload = respond(await result);
    } catch ({ code = "EXECUTION_ERROR", message }) {
      [type, payload] = ["call.error", { code: String(code), message: String(message) }];
    }
    if (running.get(requestId) !== entry) return; // aborted meanwhile
    running.delete(requestId);
    const answer = JSON.stringify({ type, id: "", payload: { requestId, ...payload } });
    answers.set(requestId, answer);
    if (answers.size > MAX_ANSWERS) answers.delete(answers.keys().next().value);
    // On a socket that has closed it is not wanted: the hub asks again on the next one.
    if (entry.socket.readyState === WebSocket.OPEN) entry.socket.send(answer);
    leaveWhenIdle();
  }

  function leave() {
    leaving = true;
    call(current, "hub.drain", {});
    leaveWhenIdle();
  }

  function leaveWhenIdle() {
    if (!leaving || running.size > 0) return;
    if (current === null) process.exit(0);
    current.close(1000);
  }

  process.on("SIGTERM", leave);
  connect();
}

function parse(data) {
  try {
    const message = JSON.parse(data);
    return typeof message?.type === "string" && typeof message.payload === "object" && message.payload ? message : null;
  } catch {
    return null;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  runSpoke("shouter", {
    "demo.shout": {
      type: "query",
      description: "Gives a text back in capitals.",
      inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
      outputSchema: { type: "object", properties: { text: { type: "string" } } },
      handler: ({ text }) => ({ text: text.toUpperCase() }),
    },
  });
}
