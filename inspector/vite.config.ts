/** How the inspector's page is built: one file, with its code and its styles in it. */
import { defineConfig } from 'vite';
import { viteSingleFile } from 'vite-plugin-singlefile';

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [viteSingleFile({ removeViteModuleLoader: true })],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: '../dist/inspector', emptyOutDir: true, target: ['chrome123', 'firefox121', 'safari17.5'] },
});
