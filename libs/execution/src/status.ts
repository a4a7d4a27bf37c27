/** Where an execution or task stands, in the words of the Harbor API; the last three are final. */
export type ExecutionStatus = 'Pending' | 'Scheduled' | 'Running' | 'Stopped' | 'Error' | 'Success';
