import { describeFirstDay } from './rig/firstDay.ts';

describeFirstDay({ age: 'oldest', look: 'dark', theme: 'Default Dark Modern' });
