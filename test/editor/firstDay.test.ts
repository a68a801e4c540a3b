import { describeFirstDay, takesPictures } from './rig/firstDay.ts';

describeFirstDay({ age: 'newest', look: 'light', theme: 'Default Light Modern' });
if (takesPictures) describeFirstDay({ age: 'newest', look: 'dark', theme: 'Default Dark Modern' });
