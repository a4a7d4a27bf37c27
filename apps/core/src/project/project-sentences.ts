export const NO_PROJECT = 'there is no such project';
export const NOT_EMPTY = 'the project contains repositories and cannot be deleted; delete them first';
