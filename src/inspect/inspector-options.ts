/** What the inspector is started with. */
import type { Clock } from '../clock.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Upcasters } from '../log/upcast.ts';
import type { PayloadMode } from '../replay/mask.ts';
import type { Machines } from '../runtime/machines.ts';
import type { Advice } from './api.ts';

export interface InspectorOptions {
  /** The log that is looked at; it stays open when the inspector closes. */
  readonly log: EventLog;
  /** Machines by durable name; what they cannot tell is replayed from the log. */
  readonly machines?: Machines;
  readonly upcasters?: Upcasters;
  /** 0, which is the default, lets the system choose. */
  readonly port?: number;
  readonly payloads?: PayloadMode;
  /** Lets the page fork; the log must then be open for writing. */
  readonly allowWrite?: boolean;
  /** Whether nothing is appended to the log while it is looked at. */
  readonly isFile?: boolean;
  /** Puts an advice into the words of who reads the page; as it is when omitted. */
  readonly advise?: (advice: string) => Advice;
  /** Random when omitted. */
  readonly token?: string;
  readonly clock?: Clock;
}
