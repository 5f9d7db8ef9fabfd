import { defineCommand } from '../lib/command/definition.js';
import { command as info } from './disco/info.js';

/** The short form of `disco info`. */
export const command = defineCommand({ ...info, path: 'disco' });
