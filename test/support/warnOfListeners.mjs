/** Preloaded by `node --import`: signals warn of more than ten listeners again, as they do in Node 20. */
import { setMaxListeners } from 'node:events';

const asBefore = (signal) => {
  setMaxListeners(10, signal);
  return signal;
};
const { any } = AbortSignal;
AbortSignal.any = (signals) => asBefore(any.call(AbortSignal, signals));
globalThis.AbortController = class extends AbortController {
  constructor() {
    super();
    asBefore(this.signal);
  }
};
