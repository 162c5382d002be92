/**
 * Which question is answered by whom. Owns the paths and the checks of what is in them; the answers are made elsewhere.
 *
 * RO1  What carries payloads leaves masked where the server was told so.
 */
import type { ServerResponse } from 'node:http';
import { correlationTrace } from '../../projections/correlation-trace.ts';
import { handlerHistory } from '../../projections/handler-history.ts';
import { project } from '../../projections/project.ts';
import type { Clock } from '../clock.ts';
import { InvalidArgumentError, NotFoundError } from '../errors.ts';
import type { EventLog, Revision } from '../log/event-log.ts';
import { sourceIn } from '../replay/chart-states.ts';
import type { SourceOf } from '../replay/label.ts';
import { litIn } from '../replay/lit.ts';
import type { PayloadMode } from '../replay/mask.ts';
import type { Frame } from '../replay/frame.ts';
import type { Replay } from '../replay/replay.ts';
import { rewakeVersion } from '../runtime/environment.ts';
import { explainStream } from '../runtime/explain/explain.ts';
import { actorsView } from './actors-view.ts';
import type { ChartView, ExplainView, FrameView, HandlersView, LogView, RowsView, StreamView } from './api.ts';
import { EffectViews } from './effects-view.ts';
import { ChartLayouts } from './layout.ts';
import { maskBlame, maskFrame, maskHandlers } from './masked-views.ts';
import { answerPast, forkFor } from './pasts.ts';
import { Refusal } from './refusal.ts';
import { Replays } from './replays.ts';
import { rawEvent, rowsView } from './rows-view.ts';
import { sendExport } from './send-export.ts';
import type { InspectorOptions } from './inspector-options.ts';
import { tail } from './tail.ts';
import { traceJson } from './trace-json.ts';
import { sendJsonText } from './send-json.ts';

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly body: unknown;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

type OfStream = (stream: string, question: Question, part: string | undefined) => Promise<object | undefined>;

export class Routes {
  readonly #options: InspectorOptions;
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #mode: PayloadMode;
  readonly #replays: Replays;
  readonly #layouts: ChartLayouts;
  readonly #effects: EffectViews;

  constructor(options: InspectorOptions & { readonly clock: Clock }) {
    this.#options = options;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#layouts = new ChartLayouts({ clock: options.clock });
    this.#mode = options.payloads ?? 'full';
    this.#effects = new EffectViews(this.#mode);
    this.#replays = new Replays(options.log, { machines: options.machines ?? {}, upcasters: options.upcasters });
  }

  async close(): Promise<void> {
    await this.#layouts.close();
  }

  /** @returns undefined where the answer has been sent already */
  async answer(question: Question): Promise<object | undefined> {
    const { method, url, response, signal } = question;
    const [area, name, what, part, ...more] = url.pathname.split('/').slice(2).map(decoded);
    if (more.length > 0) throw notHere(url);
    const isGet = method === 'GET';
    if (isGet && area === 'log' && name === undefined) return this.#logView();
    if (isGet && area === 'actors' && name === undefined)
      return actorsView(this.#log, url.searchParams, numberIn(url, 'limit'));
    if (isGet && area === 'tail' && name === undefined) {
      const sourceOf = (stream: string) => this.#sourceOf(stream);
      await tail(this.#log, url.searchParams.get('stream'), { response, clock: this.#clock, signal, sourceOf });
      return undefined;
    }
    if (isGet && area === 'traces' && name !== undefined && what === undefined) {
      sendJsonText(response, traceJson(await project(correlationTrace(name), this.#log, { onDamage: 'skip', signal })));
      return undefined;
    }
    const ofStream = area === 'streams' && name !== undefined ? this.#ofStream(`${method} ${what ?? ''}`) : undefined;
    if (!ofStream) throw notHere(url);
    return ofStream(name!, question, part);
  }

  #ofStream(what: string): OfStream | undefined {
    const answers: { readonly [what: string]: OfStream } = {
      'GET ': (stream) => this.#streamView(stream),
      'GET rows': (stream, { url }) => this.#rows(stream, url),
      'GET frames': (stream, _, part) => this.#frameView(stream, revisionOf(part)),
      'GET charts': (stream, { url }, part) => this.#chart(stream, part ?? '/', numberIn(url, 'at')),
      'GET blame': (stream, { url }) => this.#blame(stream, url),
      'GET effects': async (stream, { signal }) => this.#effects.of(await this.#replays.of(stream), signal),
      'GET handlers': (stream, { signal }) => this.#handlers(stream, signal),
      'GET explain': (stream) => this.#explain(stream),
      'GET events': async (stream, _, part) => {
        await this.#requireStream(stream);
        return rawEvent(this.#log, stream, revisionOf(part), this.#mode);
      },
      'GET export': async (stream, { response, signal }) => {
        await sendExport(this.#log, stream, { response, signal, payloads: this.#mode });
        return undefined;
      },
      'POST what-if': (stream, { body }) => answerPast(stream, body, this.#options),
      'POST fork': (stream, { body }) => forkFor(stream, body, this.#options),
    };
    return Object.hasOwn(answers, what) ? answers[what] : undefined;
  }

  #logView(): LogView {
    const { machines = {}, allowWrite = false, isFile = false } = this.#options;
    return {
      ...{ name: this.#log.name, rewake: rewakeVersion, payloads: this.#mode, allowWrite, isFile },
      machines: Object.keys(machines),
    };
  }

  async #streamView(stream: string): Promise<StreamView> {
    const replay = await this.#replays.glance(stream);
    const { machine, version, source, first, last, damaged } = replay;
    const begun = await firstFrame(replay);
    return {
      ...{ stream, machine, version, source, first, last, damaged },
      correlationId: begun?.correlationId ?? '',
      startedAt: begun?.at ?? 0,
      hasChart: replay.chart !== undefined,
    };
  }

  async #rows(stream: string, url: URL): Promise<RowsView> {
    const [from, limit] = [numberIn(url, 'from') ?? 0, Math.max(1, numberIn(url, 'limit') ?? 500)];
    return rowsView(this.#log, stream, { from, limit, sourceOf: await this.#sourceOf(stream) });
  }

  /** Names effects that their definition gave no id. @throws NotFoundError | StreamDeletedError */
  async #sourceOf(stream: string): Promise<SourceOf> {
    const { chart } = await this.#replays.glance(stream);
    return (address) => chart && sourceIn(chart, address);
  }

  async #frameView(stream: string, revision: Revision): Promise<FrameView> {
    const replay = await this.#replays.of(stream);
    const frame = await replay.at(revision);
    const previous = await replay.previous(frame);
    return {
      frame: maskFrame(frame, this.#mode),
      previous: previous?.revision ?? null,
      next: frame.lastRevision < replay.last ? frame.lastRevision + 1 : null,
      lit: litIn(frame, previous, (address, of) => replay.chartFor(address, of)),
    };
  }

  async #chart(stream: string, address: string, at: Revision | undefined): Promise<ChartView> {
    const replay = await this.#replays.of(stream);
    const chart = address === '/' ? replay.chart : replay.chartFor(address, await replay.at(at ?? replay.last));
    if (!chart)
      throw new Refusal(
        404,
        'REWAKE_NOT_FOUND',
        `There is no chart of '${address}': the log holds none, and its machine is not at hand.`,
      );
    return this.#layouts.layout(chart);
  }

  async #blame(stream: string, url: URL): Promise<object> {
    const replay = await this.#replays.of(stream);
    const [path, actor, at] = [url.searchParams.get('path'), url.searchParams.get('actor'), numberIn(url, 'at')];
    if (path === null) throw InvalidArgumentError.of('path', "a place such as '/context/total'", path);
    const options = { ...(actor !== null && { actor }), ...(at !== undefined && { at }) };
    return maskBlame(await replay.blame(path, options), this.#mode);
  }

  async #handlers(stream: string, signal: AbortSignal): Promise<HandlersView> {
    await this.#requireStream(stream);
    const history = await project(handlerHistory, this.#log, { stream, onDamage: 'skip', signal });
    return { history: maskHandlers(history, this.#mode) };
  }

  /** @throws NotFoundError */
  async #requireStream(stream: string): Promise<void> {
    if ((await this.#log.head(stream)).state === 'absent') throw new NotFoundError(stream);
  }

  async #explain(stream: string): Promise<ExplainView> {
    const { machines, upcasters, advise = (text: string) => ({ text, command: null }) } = this.#options;
    const { sentences, next } = await explainStream(this.#log, stream, {
      ...(machines && { machines }),
      ...(upcasters && { upcasters }),
      clock: this.#clock,
    });
    // What is said quotes errors and values.
    if (this.#mode !== 'full')
      return { sentences: ['Payloads are hidden, and what is explained quotes them.'], next: [] };
    // Next steps are the last sentences, too.
    return { sentences: sentences.slice(0, sentences.length - next.length), next: next.map(advise) };
  }
}

async function firstFrame(replay: Replay): Promise<Frame | undefined> {
  for await (const frame of replay.frames({ to: replay.first })) return frame;
  return undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Refusal(400, 'REWAKE_INVALID_ARGUMENT', `'${part}' is not encoded as a part of a URL.`);
  }
}

function notHere(url: URL): Refusal {
  return new Refusal(404, 'REWAKE_NOT_FOUND', `There is no '${url.pathname}' in the API of the inspector.`);
}

function revisionOf(part: string | undefined): Revision {
  if (part !== undefined && /^\d{1,15}$/.test(part)) return Number(part);
  throw InvalidArgumentError.of('revision', 'a whole number from 0', part);
}

function numberIn(url: URL, name: string): number | undefined {
  const text = url.searchParams.get(name);
  return text === null ? undefined : revisionOf(text);
}
