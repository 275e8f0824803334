import type { Message, Part, Session, SessionTurn } from "./session.ts";

/** A session as it is shown. */
export type SessionView = Omit<Session, "orgId" | "owner" | "lastSeq"> & { readonly scopes: readonly string[] };

export function sessionView({ orgId: _orgId, owner, lastSeq: _lastSeq, ...session }: Session): SessionView {
  return { ...session, scopes: owner.identity.scopes };
}

export function turnView({ orgId: _orgId, ...turn }: SessionTurn): Omit<SessionTurn, "orgId"> {
  return turn;
}

/** What was said in a message, as text. */
export function spokenText({ parts }: Pick<Message, "parts">): string {
  return parts.flatMap((part: Part) => part.type === "text" ? [part.text] : []).join("\n");
}
