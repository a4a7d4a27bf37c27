export type { ExecutionStatus } from './status.js';
