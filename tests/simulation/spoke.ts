/** A spoke, and the network before it: messages are late, lost, doubled and out of order; a spoke knows its request ids. */
import { CallError } from "@alkdev/operations";
import { behave } from "./behaviour.ts";
import type { World } from "./world.ts";

export type Answer = { readonly data: unknown } | { readonly error: unknown };

export interface SpokeCall {
  readonly requestId: string;
  readonly operationId: string;
  readonly runId: string;
  readonly nodeKey: string;
}

interface Work {
  answer: Answer | null;
  readonly listeners: ((answer: Answer) => void)[];
  readonly stop: () => void;
}

export class Network {
  readonly #world: World;
  /** By request id. A restart forgets it, and what was on the way to the old connection with it. */
  #works: Map<string, Work> = new Map();
  #life = 0;
  executions = 0;

  constructor(world: World) {
    this.#world = world;
  }

  call(call: SpokeCall, reply: (answer: Answer) => void): void {
    this.#carry(() => this.#receive(call, reply));
  }

  cancel(requestId: string): void {
    this.#carry(() => {
      const work = this.#works.get(requestId);
      if (work !== undefined) return work.stop();
      // The cancellation has overtaken its call: remembered, so that the call is not begun when it comes.
      this.#works.set(requestId, { answer: aborted(), listeners: [], stop: () => {} });
    });
  }

  restart(): void {
    this.#world.note("spoke-restart with its connections and its memory");
    this.#life++;
    for (const work of this.#works.values()) work.listeners.length = 0;
    this.#works = new Map();
  }

  /** One message: perhaps never, perhaps twice. */
  #carry(arrive: () => void): void {
    const { chance, schedule, profile } = this.#world;
    const life = this.#life;
    const copies = chance.is(profile.loss) ? 0 : chance.is(profile.duplication) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      schedule.in(this.#world.delay(profile.networkMs), () => {
        if (life === this.#life) arrive();
      });
    }
  }

  #receive(call: SpokeCall, reply: (answer: Answer) => void): void {
    const known = this.#works.get(call.requestId);
    const send = (answer: Answer) => this.#carry(() => reply(answer));
    if (known !== undefined) {
      if (known.answer !== null) send(known.answer);
      else known.listeners.push(send);
      return;
    }
    this.#execute(call, send);
  }

  #execute(call: SpokeCall, send: (answer: Answer) => void): void {
    const { chance, schedule } = this.#world;
    this.executions++;
    this.#world.note(`spoke executes ${call.requestId}`);
    const { takes, heeds, outcome } = behave(chance, call.operationId);
    const end = (answer: Answer) => {
      if (work.answer !== null) return;
      work.answer = answer;
      for (const listener of work.listeners.splice(0)) listener(answer);
    };
    const finish = schedule.in(takes, () => end(outcome));
    const work: Work = {
      answer: null,
      listeners: [send],
      stop: () => {
        if (!heeds || work.answer !== null) return;
        finish();
        end(aborted());
      },
    };
    this.#works.set(call.requestId, work);
  }
}

function aborted(): Answer {
  return { error: new CallError("ABORTED", "It was told to stop") };
}
