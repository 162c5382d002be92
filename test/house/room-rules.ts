/**
 * Which room may import from which: the arrows of the design, one row per room. Owns the table and the check; how an
 * import is found is in source-tree.ts.
 *
 * R1  A file belongs to exactly one room; a file in none is a violation, so a new folder needs a row here.
 * R2  Imports inside a room are free; cycles are the linter's business.
 */
import { importsOf, type SourceFile, type Violation } from './source-tree.ts';

interface Room {
  readonly name: string;
  readonly files: RegExp;
  /** Rooms it may import from, besides itself. */
  readonly rooms: readonly string[];
  /** Packages and Node modules it may import; anything when omitted. */
  readonly packages?: RegExp;
}

const base = ['errors', 'invariant', 'clock'];
const core = [...base, 'log', 'kernel', 'explained', 'wording', 'runtime', 'index'];
const looking = [...core, 'replay', 'projections', 'machines', 'testing'];

const rooms: readonly Room[] = [
  { name: 'errors', files: /^src\/errors\.ts$/, rooms: [], packages: /^$/ },
  { name: 'invariant', files: /^src\/invariant\.ts$/, rooms: ['errors'], packages: /^$/ },
  { name: 'clock', files: /^src\/clock\.ts$/, rooms: ['errors'], packages: /^node:crypto$/ },
  { name: 'index', files: /^src\/index\.ts$/, rooms: core, packages: /^$/ },
  { name: 'log', files: /^src\/log\//, rooms: base },
  {
    name: 'kernel',
    files: /^src\/kernel\//,
    rooms: [...base, 'log'],
    packages: /^(?:xstate|node:(?:async_hooks|crypto|util))$/,
  },
  // What an actor is told of in words sees the data alone: it asks no log, no fold and no runtime.
  { name: 'explained', files: /^src\/runtime\/explain\/explained\.ts$/, rooms: ['clock', 'log', 'kernel'] },
  {
    name: 'wording',
    files: /^src\/runtime\/explain\/(?:acceptance|advice|sentences|waits|words)\.ts$/,
    rooms: ['clock', 'kernel', 'explained'],
    packages: /^xstate$/,
  },
  { name: 'runtime', files: /^src\/runtime\//, rooms: [...base, 'log', 'kernel', 'explained', 'wording'] },
  { name: 'sqlite', files: /^src\/stores\/sqlite\//, rooms: [...base, 'log'] },
  { name: 'postgres', files: /^src\/stores\/postgres\//, rooms: [...base, 'log'] },
  { name: 'kurrentdb', files: /^src\/stores\/kurrentdb\//, rooms: [...base, 'log'] },
  { name: 'testing', files: /^src\/testing\//, rooms: [...core, 'replay', 'machines', 'projections'] },
  {
    name: 'cli',
    files: /^src\/cli\//,
    rooms: [...looking, 'inspect', 'sqlite', 'postgres', 'kurrentdb'],
  },
  { name: 'replay', files: /^src\/replay\//, rooms: core },
  { name: 'inspect', files: /^src\/inspect\//, rooms: looking },
  { name: 'rx', files: /^projections\/rx\.ts$/, rooms: ['projections'], packages: /^(?:rewake|rxjs)$/ },
  { name: 'fp', files: /^src\/fp\//, rooms: core },
  { name: 'machines', files: /^machines\//, rooms: [], packages: /^(?:xstate|rewake|croner)$/ },
  { name: 'projections', files: /^projections\//, rooms: [], packages: /^rewake$/ },
  // The page takes nothing from src but the types of what the server says.
  {
    name: 'inspector',
    files: /^inspector\//,
    rooms: ['inspect'],
    packages: /^(?:preact(?:\/\w+)?|@preact\/signals|vite|@preact\/preset-vite|vite-plugin-singlefile)$/,
  },
  {
    name: 'examples',
    files: /^examples\//,
    rooms: [],
    packages: /^(?:xstate|rewake(?:\/\w+)*|rxjs|fast-check|vitest|@fast-check\/vitest|fp-ts\/lib\/\w+\.js|node:.+)$/,
  },
];

function roomOf(path: string): Room | undefined {
  return rooms.find((room) => room.files.test(path));
}

const judged = /^(?:src|machines|projections|inspector|examples)\/.*\.tsx?$/;

/** Every import that goes against the arrows. */
export function wrongImports(files: readonly SourceFile[]): Violation[] {
  return files
    .filter((file) => judged.test(file.path))
    .flatMap((file) => {
      const room = roomOf(file.path);
      if (!room) return [`${file.path} is in no room: add its folder to the table in test/house/room-rules.ts`];
      return importsOf(file).flatMap((target) => wrongImport(file.path, room, target));
    });
}

function wrongImport(path: string, room: Room, target: string): Violation[] {
  const isFile = judged.test(target) || /^(?:test|bench|docs)\//.test(target);
  if (!isFile) {
    return room.packages && !room.packages.test(target)
      ? [`${path} imports '${target}': ${room.name} takes only ${room.packages.source} from outside`]
      : [];
  }
  const other = roomOf(target)?.name ?? target;
  return other === room.name || room.rooms.includes(other)
    ? []
    : [`${path} imports ${target}: ${room.name} knows only ${room.rooms.join(', ') || 'itself'}`];
}
