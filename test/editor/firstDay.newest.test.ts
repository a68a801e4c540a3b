import { describeFirstDay } from './rig/firstDay.ts';

describeFirstDay({ age: 'newest', look: 'light', theme: 'Default Light Modern' });
