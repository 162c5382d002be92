/**
 * The house rules that the linter cannot express, each a pure function from files to violations (H1).
 */
import { posix } from 'node:path';
import { withoutComments, type SourceFile, type Violation } from './source-tree.ts';

const code = /^(?:src|machines|projections|bench|examples|test|inspector)\/.*\.tsx?$/;
const shipped = /^(?:src|machines|projections)\/.*\.ts$/;
const readmeLinesMax = 150;

/** Names are kebab-case and name one concept. */
export function badNames(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => code.test(path) || path.startsWith('docs/'))
    .flatMap(({ path }) => {
      if (posix.basename(path) === 'README.md') return []; // the name that hosts show as the page of a folder
      const concept = posix.basename(path).replace(/(?:\.test|\.config|\.bench)?\.[a-z]+$/, '');
      if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(concept)) return [`${path}: name it in kebab-case`];
      return /(?:^|-)(?:utils?|helpers?|common|misc|shared)(?:-|$)/.test(concept)
        ? [`${path}: name the concept that the file owns`]
        : [];
    });
}

/** A file that ships opens by saying what it owns. */
export function missingHeaders(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path, text }) => shipped.test(path) && !/^(?:#!.*\n)?\/\*\*(?:\n \*)? \S/.test(text))
    .map(({ path }) => `${path}: open with a header comment that says what the file owns and its invariants`);
}

// Spelled in parts, or the rule would find itself.
const machinePath = new RegExp(`(?<![\\w.)\\]-])/(?:${['work', 'tmp', 'root', 'home'].join('|')})/[\\w.]`);

/** Nothing in the project depends on the machine it was written on. */
export function machinePaths(files: readonly SourceFile[]): Violation[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (machinePath.test(line) ? [`${path}:${index + 1} names a path of one machine`] : [])),
  );
}

/** `new Date()` reads the clock behind the linter's back. */
export function hiddenClockReads(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => shipped.test(path) && path !== 'src/clock.ts')
    .filter(({ text }) => /(?<!['\x60.\w]|['\x60]new )\bDate\(\s*\)/.test(withoutComments(text)))
    .map(({ path }) => `${path}: take the time from a Clock or from now()`);
}

/** Titles state facts. */
export function hopefulTitles(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => path.endsWith('.test.ts'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\b(?:it|test|describe)\b[^'"`\n]*\(\s*(['"`])(.*?)\1/g)]
        .filter((match) => /\bshould\b/.test(match[2]!))
        .map((match) => `${path}: "${match[2]}" hopes; state the fact`),
    );
}

/** An invariant of a machine is quoted by its number alone: no two files count with the same letters. */
export function sharedInvariants(files: readonly SourceFile[]): Violation[] {
  const owners = new Map<string, string>();
  return files
    .filter(({ path }) => path.startsWith('machines/'))
    .flatMap(({ path, text }) => {
      const header = text.slice(0, text.indexOf('*/'));
      const letters = new Set([...header.matchAll(/^ \* ([A-Z]+)\d+ {2}/gm)].map((match) => match[1]!));
      return [...letters].flatMap((own) => {
        const owner = owners.get(own);
        if (owner === undefined) owners.set(own, path);
        return owner === undefined ? [] : [`${path}: numbers its invariants ${own}1 … as ${owner} does`];
      });
    });
}

/** The README is a door, not a manual. */
export function longReadme(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path, text }) => path === 'README.md' && text.trimEnd().split('\n').length > readmeLinesMax)
    .map(
      ({ text }) =>
        `README.md has ${text.trimEnd().split('\n').length} lines, at most ${readmeLinesMax}: move some to docs/`,
    );
}

/** Who looks for a page finds it on the list of pages. */
export function unlistedPages(files: readonly SourceFile[]): Violation[] {
  const list = files.find(({ path }) => path === 'docs/README.md')?.text ?? '';
  return files
    .filter(({ path }) => /^docs\/(?!decisions\/).*[^/]\.md$/.test(path) && path !== 'docs/README.md')
    .filter(({ path }) => !list.includes(`](${path.slice('docs/'.length)})`))
    .map(({ path }) => `${path} is not on the list of pages: add it to docs/README.md`);
}

const codeBlock = /^ *```[\s\S]*?^ *```/gm;
const link = /\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g;

/** A link leads to a file of the project, and to a heading that is there. */
export function deadLinks(files: readonly SourceFile[]): Violation[] {
  const pages = files
    .filter(({ path }) => path.endsWith('.md'))
    .map(({ path, text }) => ({ path, text: text.replaceAll(codeBlock, '') }));
  const headings = new Map(
    pages.map(({ path, text }) => [
      path,
      new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => anchorOf(title!))),
    ]),
  );
  return pages.flatMap(({ path, text }) =>
    [...text.matchAll(link)].flatMap(([, file, anchor]) => {
      const target = file === '' ? path : posix.join(posix.dirname(path), file!);
      if (!files.some((other) => other.path === target || other.path.startsWith(`${target}/`)))
        return [`${path}: links to ${target}, which is not there`];
      const isMissing = anchor !== undefined && !headings.get(target)?.has(anchor);
      return isMissing ? [`${path}: links to #${anchor} of ${target}, which has no such heading`] : [];
    }),
  );
}

/** The anchor of a heading, as GitHub makes it. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

const declaration = /^export (?:declare |abstract |async )*(?:class|interface|type|const|let|function\*?) (?<name>\w+)/;

/** Every export of an entry point of the package is documented where it is declared. */
export function undocumentedExports(files: readonly SourceFile[]): Violation[] {
  const sources = new Map(files.map((file) => [file.path, file.text]));
  const manifest = JSON.parse(sources.get('package.json') ?? '{"exports":{}}') as { exports: Record<string, unknown> };
  const built = JSON.stringify(manifest.exports).matchAll(/"default":"\.\/dist\/([^"]+)\.js"/g);
  return [...built].flatMap(([, entry]) => undocumentedIn(sources, `${entry}.ts`, undefined));
}

/** @param wanted the exported names to look at; all when undefined */
function undocumentedIn(
  sources: Map<string, string>,
  path: string,
  wanted: ReadonlySet<string> | undefined,
): Violation[] {
  const text = sources.get(path) ?? '';
  const own = text.split('\n').flatMap((line, index, lines) => {
    const name = declaration.exec(line)?.groups?.name;
    if (name === undefined || (wanted && !wanted.has(name))) return [];
    // An overload is documented with the first one.
    const documented = /\*\/$|^export (?:async )?function /.test(lines[index - 1]?.trimEnd() ?? '');
    return documented ? [] : [`${path}:${index + 1}: say in a sentence what ${name} is; it is public`];
  });
  const passedOn = text.matchAll(/^export (?:type )?(?:\*|\{([^}]*)\}) from '(\.[^']+)'/gm);
  return [
    ...own,
    ...[...passedOn].flatMap(([, list, specifier]) => {
      const names = list?.split(',').map(
        (item) =>
          item
            .trim()
            .replace(/^type /, '')
            .split(' ')[0]!,
      );
      const target = posix.join(posix.dirname(path), specifier!);
      return undocumentedIn(sources, target, names && new Set(names));
    }),
  ];
}

/** What a user of the machines can import, and every fact that one of them can tell, is named in the reference. */
export function missingInReference(files: readonly SourceFile[]): Violation[] {
  const reference = files.filter(({ path }) => path.startsWith('docs/reference/')).map(({ text }) => text);
  const known = new Set(reference.flatMap((text) => [...text.matchAll(/`(\w+)[`(]/g)].map((match) => match[1]!)));
  return files
    .filter(({ path }) => path.startsWith('machines/'))
    .flatMap(({ path, text }) => {
      const lists = path === 'machines/index.ts' ? [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)] : [];
      const exported = lists.flatMap(([, list]) => [...list!.matchAll(/(\w+)\s*(?:,|$)/g)].map((match) => match[1]!));
      const facts = [...text.matchAll(/(?:\btype: |NodeFact<)((?:'[A-Z]\w*'(?: \| )?)+)/g)];
      const told = facts.flatMap(([, types]) => [...types!.matchAll(/\w+/g)].map(([type]) => type));
      return [...new Set([...exported, ...told])]
        .filter((name) => !known.has(name))
        .map((name) => `${path}: name ${name} in docs/reference`);
    });
}

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Record<string, string>;
}

function lockedPackages(files: readonly SourceFile[]): [name: string, locked: LockedPackage][] {
  const lockFile = files.find(({ path }) => path === 'package-lock.json');
  if (!lockFile) return [];
  return Object.entries((JSON.parse(lockFile.text) as { packages: Record<string, LockedPackage> }).packages);
}

/** The lock file works with any registry. */
export function pinnedAddresses(files: readonly SourceFile[]): Violation[] {
  return lockedPackages(files)
    .filter(([, { resolved }]) => resolved !== undefined)
    .map(([name]) => `package-lock.json pins ${name} to an address: run npm install with this project's .npmrc`);
}

/** npm ci refuses a lock file that lacks the binary of another platform, and npm install drops what it cannot find. */
export function missingPlatforms(files: readonly SourceFile[]): Violation[] {
  const packages = lockedPackages(files);
  const locked = new Set(packages.map(([name]) => name.replace(/^.*node_modules\//, '')));
  return packages.flatMap(([name, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((optional) => !locked.has(optional))
      .map((optional) => `package-lock.json lacks ${optional}: take a version of ${name} that has it published`),
  );
}
