/**
 * The documentation is true: every TypeScript block in README.md and docs/ compiles and runs (D1 to D3).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DocWorkshop, programsOf, type Program } from './doc-blocks.ts';
import { projectFiles } from './source-tree.ts';

const programs = projectFiles()
  .filter(({ path }) => path === 'README.md' || /^docs\/.*\.md$/.test(path))
  .flatMap(programsOf);

const byPlace = (some: readonly Program[]) => some.map((program) => [program.at, program] as const);

describe.runIf(programs.length > 0)('documentation', () => {
  const workshop = new DocWorkshop();
  let errors: Map<Program, string>;

  beforeAll(async () => {
    await workshop.installPackage();
    errors = await workshop.compile(programs);
  });

  afterAll(() => workshop.remove());

  it.for(byPlace(programs))('the program at %s compiles', ([, program]) => {
    expect(errors.get(program)).toBeUndefined();
  });

  it.concurrent.for(byPlace(programs.filter(({ run }) => run)))(
    'the program at %s runs',
    { timeout: 60_000 },
    async ([, program]) => {
      const { code, output } = await workshop.run(program);
      expect(code, output).toBe(0);
    },
  );
});

describe('a page', () => {
  const page = (...blocks: string[]) => programsOf({ path: 'docs/how-to/x.md', text: ['# X', ...blocks].join('\n\n') });
  const block = (info: string, ...lines: string[]) => ['```' + info, ...lines, '```'].join('\n');

  it('gives one program for each TypeScript block', () => {
    expect(page(block('ts', 'a;'), block('sh', 'npm i'), block('typescript', 'b;'))).toMatchObject([
      { at: 'docs/how-to/x.md:3', file: 'docs-how-to-x/line-3.ts', text: 'a;\n', run: true },
      { text: 'b;\n', run: true },
    ]);
  });

  it('joins a continued block to the one before it', () => {
    expect(page(block('ts', 'const a = 1;'), block('ts continued', 'a;'))).toMatchObject([
      { text: 'const a = 1;\n\na;\n' },
    ]);
  });

  it('does not run what is marked no-run, nor a file that others import', () => {
    expect(page(block('ts no-run', 'a;'), block('ts file=order.ts', 'b;'))).toMatchObject([
      { run: false },
      { run: false, file: 'docs-how-to-x/order.ts' },
    ]);
  });

  it('may hold blocks inside a list', () => {
    expect(page('1. one\n\n   ```ts\n   if (a) {\n     b;\n   }\n   ```\n')).toMatchObject([
      { text: 'if (a) {\n  b;\n}\n' },
    ]);
  });
});

describe('a wrong program', () => {
  const workshop = new DocWorkshop();
  afterAll(() => workshop.remove());

  const program = (file: string, text: string): Program => ({ at: file, file, text, run: true });

  it('is found by the compiler or by its exit code', async () => {
    const mistyped = program('x/mistyped.ts', "export const a: number = 'one';");
    const throwing = program('x/throwing.ts', "throw new Error('thrown on purpose');");
    const right = program('x/right.ts', "import { ok } from 'node:assert';\nok(await Promise.resolve(true));");
    const errors = await workshop.compile([mistyped, throwing, right]);
    expect([...errors.keys()]).toEqual([mistyped]);
    expect(await workshop.run(throwing)).toMatchObject({
      code: 1,
      output: expect.stringContaining('thrown on purpose'),
    });
    expect(await workshop.run(right)).toMatchObject({ code: 0 });
  });
});
