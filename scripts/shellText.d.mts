import type { Plugin } from 'esbuild';

export const shellText: Plugin;
