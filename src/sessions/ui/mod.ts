/** Sessions as AI SDK's `useChat` and its UI message stream have them. @module */
export { type ChatRequest, ChatRequestSchema } from "./chat_request.ts";
export { SessionChat } from "./session_chat.ts";
export type { ChatSessions, ChatStream, SessionChatOptions } from "./session_chat.ts";
export type { UiChunk, UiMessage, UiMetadata, UiPart, UiToolPart } from "./ui_chunk.ts";
export { uiMessages } from "./ui_messages.ts";
