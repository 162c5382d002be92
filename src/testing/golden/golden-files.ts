/**
 * How a recording is kept: one event per line with all its fields, and beside it the state in which each of its streams
 * ends. Owns the form of both files, and reading and writing them; what is in a state is end-state.ts's.
 *
 * GF1  A file that is there is never written again.
 * GF2  A recording is of one stream or of several, in the order of the log; what it is called says nothing.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RewakeError } from '../../errors.ts';
import { sealText } from '../../log/envelope.ts';
import type { RecordedEvent } from '../../log/event-log.ts';
import type { Json } from '../../log/json.ts';

/** What was recorded. */
export interface GoldenRecording {
  readonly events: readonly RecordedEvent[];
  /** Where each of its streams ends, by stream. */
  readonly ends: Readonly<Record<string, Json>>;
}

/** A file of a recording is not as it has to be: it is there already, or it is missing, or somebody has changed it. */
export class GoldenFileError extends RewakeError {
  readonly code = 'REWAKE_GOLDEN_FILE';
  readonly file: string;

  constructor(file: string, detail: string, next: string, options?: { cause?: unknown }) {
    super(`${file}: ${detail}. ${next}`, options);
    this.file = file;
  }
}

const eventsEnd = '.jsonl';
const statesEnd = '.ends.json';

/** The files of a recording. */
export function pathsOf(directory: string, name: string): { readonly events: string; readonly ends: string } {
  return { events: join(directory, name + eventsEnd), ends: join(directory, name + statesEnd) };
}

/** Names of the recordings in a directory, in order. @throws GoldenFileError there is no such directory */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .flatMap((file) => (file.endsWith(eventsEnd) ? [file.slice(0, -eventsEnd.length)] : []))
      .sort();
  } catch (error) {
    throw new GoldenFileError(directory, 'there is no such directory', 'Record something into it first.', {
      cause: error,
    });
  }
}

/** Name of the recording of one stream: one that every file system takes. */
export function nameOf(stream: string): string {
  const name = encodeURIComponent(stream).replaceAll('*', '%2A');
  return name.length <= 200 ? name : `${name.slice(0, 190)}-${sealText(stream).toString(16)}`;
}

/** @throws GoldenFileError */
export function readRecording(directory: string, name: string): GoldenRecording {
  const paths = pathsOf(directory, name);
  const lines = textOf(paths.events).trimEnd().split('\n');
  return {
    events: lines.map((line, index) => eventOf(line, paths.events, index + 1)),
    ends: parsed<GoldenRecording['ends']>(textOf(paths.ends), paths.ends, 'it is no JSON'),
  };
}

function eventOf(line: string, path: string, number: number): RecordedEvent {
  const event = parsed<Partial<RecordedEvent> | null>(line, path, `line ${number} is no JSON`);
  const isEvent =
    typeof event?.stream === 'string' && typeof event.data === 'string' && Object(event.meta) === event.meta;
  if (isEvent) return event as RecordedEvent;
  throw new GoldenFileError(path, `line ${number} is no event`, 'Restore it from version control.');
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const next = 'Restore it from version control, or remove what is left of the recording and record it again.';
    throw new GoldenFileError(path, 'it cannot be read', next, { cause: error });
  }
}

function parsed<T>(text: string, path: string, detail: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new GoldenFileError(path, detail, 'Restore it from version control.', { cause: error });
  }
}

/** GF1: all of them or none. @throws GoldenFileError one of them is there */
export function writeRecordings(directory: string, recordings: ReadonlyMap<string, GoldenRecording>): string[] {
  const files = [...recordings].flatMap(([name, { events, ends }]) => {
    const paths = pathsOf(directory, name);
    // What is begun is no recording before its events are there.
    return [
      [paths.ends, `${JSON.stringify(ends, null, 2)}\n`],
      [paths.events, events.map((event) => `${JSON.stringify(event)}\n`).join('')],
    ] as const;
  });
  const there = files.find(([path]) => existsSync(path));
  if (there) {
    const next =
      'Record into another directory, such as one per release; to give it up for good, remove the file first.';
    throw new GoldenFileError(there[0], 'it is there already, and is never written again', next);
  }
  mkdirSync(directory, { recursive: true });
  for (const [path, text] of files) writeFileSync(path, text, { flag: 'wx' });
  return files.map(([path]) => path).sort();
}
