import { describeAllSuites } from './rig/allSuites.ts';

describeAllSuites('oldest');
