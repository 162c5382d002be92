/**
 * Takes a story home: from a stream to a test that plays it again. Owns what of the log is in a story, and the text of the test.
 *
 * CA1  It takes no code: a story is what the log says. It is read, and nothing is written.
 */
import { InvalidArgumentError, NotFoundError } from '../errors.ts';
import type { StimulusData } from '../kernel/records.ts';
import type { EventLog, RecordedEvent, Revision } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { isFact, isRebase } from '../log/runtime-events.ts';
import { openReplay } from '../replay/open-replay.ts';
import { explainStream } from '../runtime/explain/explain.ts';
import type { Story, StoryEnd, StoryStimulus } from './story.ts';

/** How a story is captured as a test. */
export interface CaptureOptions {
  /** Where the test finds the machines: a module, and the name under which it exports them; its default's `machines` when omitted. */
  readonly machines: { readonly from: string; readonly name?: string };
  /** `'success'` where the actor has failed, `'recorded'` where it has not, when omitted. */
  readonly expect?: 'recorded' | 'success';
  /** Effects that the test runs for real. */
  readonly live?: readonly string[];
  /** The last revision of the story; that of the stream when omitted. */
  readonly at?: Revision;
}

/**
 * The story of an actor, up to a revision.
 * @throws NotFoundError | InvalidArgumentError for a stream that does not begin with its start
 */
export async function storyOf(log: EventLog, stream: string, at?: Revision): Promise<Story> {
  const replay = await openReplay(log, stream, { source: 'log' });
  const last = await replay.at(at ?? replay.last);
  const stimuli: StoryStimulus[] = [];
  const sources: Record<string, string> = {};
  let first: RecordedEvent | undefined;
  for await (const event of log.readStream(stream)) {
    if (event.revision > last.lastRevision) break;
    if (isFact(event)) continue;
    first ??= event;
    if (first.type !== 'ActorStarted' || isRebase(event)) {
      throw new InvalidArgumentError(
        `capture('${stream}'): revision ${event.revision} is '${event.type}', a state that a story cannot tell of. Capture up to before it with 'at'.`,
      );
    }
    const data = JSON.parse(event.data) as StimulusData;
    for (const { actor, src } of data.intents ?? []) sources[actor] = src;
    stimuli.push({ type: event.type, id: event.id, at: data.at, data: ownData(data) });
  }
  if (!first) throw new NotFoundError(stream);
  const root = last.actors[0]!;
  return {
    ...{ stream, version: replay.version, revision: last.lastRevision, correlationId: first.meta.$correlationId ?? '' },
    ...{ stimuli, sources },
    end: {
      status: root.status,
      state: root.value as StoryEnd['state'],
      ...(root.output !== undefined && { output: root.output }),
      ...(root.error !== undefined && { error: root.error }),
    },
  };
}

/** What came from outside, without what the machine made of it. */
function ownData(data: StimulusData): StoryStimulus['data'] {
  const { at: _, transitions: __, intents: ___, armed: ____, cancelled: _____, contexts: ______, ...own } = data;
  return own as { readonly [field: string]: Json };
}

/**
 * The text of a test that plays the story of an actor again.
 *
 * @example
 * writeFileSync('receipt-44.test.ts', await captureTest(log, 'receipt-44', { machines: { from: './rewake.config.ts' } }));
 * @throws as {@link storyOf}
 */
export async function captureTest(log: EventLog, stream: string, options: CaptureOptions): Promise<string> {
  const story = await storyOf(log, stream, options.at);
  const { machines, live = [], expect = story.end.status === 'error' ? 'success' : 'recorded' } = options;
  const { sentences } = await explainStream(log, stream);
  const { name = 'config' } = machines;
  const isConfig = machines.name === undefined;
  const wanted = expect === 'success' ? 'does not fail any more' : 'ends as it did';
  const failed = story.stimuli.findLast(({ type }) => type === 'EffectFailed')?.data.actor;
  const failedSrc = typeof failed === 'string' ? story.sources[failed] : undefined;
  const hint =
    expect === 'success' && failedSrc !== undefined && live.length === 0
      ? [
          `// Its last failure is an answer of '${failedSrc}' (${failed as string}), which is given again: name it in live to run it for real.`,
        ]
      : [];
  return [
    `// ${stream}, up to revision ${story.revision}, as it is on record.`,
    ...sentences.map((sentence) => `// ${sentence.replaceAll(/\s+/g, ' ')}`),
    ...hint,
    "import { test } from 'vitest';",
    "import { replayStory, type Story } from 'rewake/testing';",
    isConfig ? `import ${name} from '${machines.from}';` : `import { ${name} } from '${machines.from}';`,
    '',
    `const story: Story = ${storyText(story)};`,
    '',
    `test(${JSON.stringify(`${stream} ${wanted}`)}, () =>`,
    '  replayStory(story, {',
    `    machines: ${isConfig ? 'config.machines!' : name},`,
    `    expect: '${expect}',`,
    `    live: ${JSON.stringify(live)}, // effects that are run for real; all others answer as they did`,
    '  }));',
    '',
  ].join('\n');
}

/** A line for each stimulus. */
function storyText({ stimuli, ...rest }: Story): string {
  const fields = Object.entries(rest).map(([name, value]) => `  ${name}: ${JSON.stringify(value)},`);
  return [
    '{',
    ...fields,
    '  stimuli: [',
    ...stimuli.map((stimulus) => `    ${JSON.stringify(stimulus)},`),
    '  ],',
    '}',
  ].join('\n');
}
