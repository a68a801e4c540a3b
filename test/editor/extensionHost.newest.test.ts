import { describeAllSuites } from './rig/allSuites.ts';

describeAllSuites('newest');
