/** The engine, and what a command needs to work with it. Commands import this file when they run, and not before. */
export * as engine from '../engine/index.ts';
export { openSession } from './session.ts';
