/** `rewake trace`: everything that one cause set off, across streams. */
import { correlationTrace, type CorrelationTrace, type TraceNode } from '../../../projections/correlation-trace.ts';
import type { EventLog } from '../../log/event-log.ts';
import { nameOf } from '../../replay/addresses.ts';
import type { CommandSpec } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { labelsOf, type Labels } from '../labels.ts';
import { projected } from '../projected.ts';
import { counted, padded, shown, type Painter } from '../terminal.ts';
import { treeLines, type TreeNode } from '../tree-lines.ts';
import { span, timeText } from '../words.ts';

export const trace: CommandSpec = {
  name: 'trace',
  group: 'explain',
  about: 'Show everything that one cause set off, as a tree over all streams',
  detail:
    'What an event caused stands below it; where that is one event alone, on the same level. Times count from the first event. ' +
    "The id is that of 'rewake ls' and 'rewake show'.",
  arguments: [{ name: 'correlation', about: 'the correlation id' }],
  options: [{ flags: '--no-facts', about: 'without the facts that machines told' }],
  examples: [
    ['trace app.db request-7', 'what request-7 set off'],
    ['trace app.db request-7 --no-facts', 'the same in short'],
  ],
  async run(context, args, options) {
    const { terminal } = context;
    const { bold } = terminal.color;
    const correlationId = args['correlation'] as string;
    const { result, code } = await projected(context, correlationTrace(correlationId));
    if (result.events === 0) {
      terminal.note(await missingText(context, correlationId));
      return exitCodes.notFound;
    }
    terminal.record('trace', result);
    if (terminal.isJson) return code;
    const { streams, events, roots } = result;
    const amount = `${counted(events, 'event')} in ${counted(streams.length, 'stream')}`;
    terminal.line(`${bold(shown(correlationId))}  ${amount}, from ${timeText(roots[0]!.at)}`);
    terminal.line();
    const labels = await labelsIn(await context.log('read'), result);
    for (const line of linesOf(roots, labels, options['facts'] !== false, terminal.color)) terminal.line(line);
    return code;
  },
};

/** What the events of the trace are called. */
async function labelsIn(log: EventLog, { streams, roots }: CorrelationTrace): Promise<ReadonlyMap<string, Labels>> {
  const last = new Map<string, number>();
  for (const { stream, revision } of everyNode(roots)) last.set(stream, Math.max(revision, last.get(stream) ?? 0));
  const labels = new Map<string, Labels>();
  for (const stream of streams) labels.set(stream, await labelsOf(log, stream, last.get(stream)!));
  return labels;
}

/** A stimulus with the facts that caused nothing themselves; or a fact that did. */
interface Shown {
  readonly event: TraceNode;
  readonly facts: readonly TraceNode[];
}

function* linesOf(
  roots: readonly TraceNode[],
  labels: ReadonlyMap<string, Labels>,
  withFacts: boolean,
  color: Painter,
): Generator<string> {
  const begin = roots[0]!.at;
  const lines = [...treeLines(treeOf(roots), { isChain: true })];
  const widest = lines.reduce(
    (most, { lead, value }) => Math.max(most, lead.length + shown(value.event.stream).length),
    0,
  );
  const width = Math.min(widest, 36);
  for (const { lead, further, value } of lines) {
    const { event, facts } = value;
    const { stream, revision, type } = event;
    const label = event.isFact
      ? color.magenta(`· ${shown(type)}`)
      : labelText(labels.get(stream)?.get(revision) ?? type);
    const name = `${color.dim(lead)}${color.bold(shown(stream))}`;
    const time = color.dim(`+${span(event.at - begin)}`);
    yield `${padded(name, width)} ${String(revision).padStart(4)}  ${padded(time, 13)} ${label}`;
    for (const fact of withFacts ? facts : []) {
      const who =
        fact.actor === null || fact.actor === '/' ? '' : color.dim(` by ${shown(nameOf(fact.actor, undefined))}`);
      yield `${padded(color.dim(further), width)} ${String(fact.revision).padStart(4)}  ${padded('', 13)} ${color.magenta(`· ${shown(fact.type)}`)}${who}`;
    }
  }

  function labelText(label: string): string {
    return label.endsWith(' failed') ? color.red(shown(label)) : color.cyan(shown(label));
  }
}

/** From the leaves up: chains are longer than a stack is deep. */
function treeOf(roots: readonly TraceNode[]): TreeNode<Shown>[] {
  const made = new Map<TraceNode, TreeNode<Shown>>();
  for (const event of [...everyNode(roots)].reverse()) {
    const isLeafFact = ({ isFact, caused }: TraceNode) => isFact && caused.length === 0;
    const below = event.caused.filter((each) => !isLeafFact(each)).map((each) => made.get(each)!);
    made.set(event, { value: { event, facts: event.caused.filter(isLeafFact) }, below });
  }
  return roots.map((root) => made.get(root)!);
}

/** Causes before what they caused. */
function* everyNode(roots: readonly TraceNode[]): Generator<TraceNode> {
  const open = [...roots];
  for (let node = open.pop(); node; node = open.pop()) {
    yield node;
    open.push(...node.caused);
  }
}

/** A stream is not a correlation; whoever gives one wants that of it. */
async function missingText(context: CommandContext, id: string): Promise<string> {
  const row = await (await context.log('read')).actor(id);
  const hint = row
    ? `It is a stream; its correlation is '${shown(row.correlationId)}'.`
    : "'rewake ls' shows those that there are.";
  return `Nothing on the log has the correlation '${shown(id)}'. ${hint}`;
}
