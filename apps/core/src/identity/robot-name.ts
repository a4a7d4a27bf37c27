/** What identifies a robot among all: its own name and, for the robot of a project, the project's. */
export interface RobotName {
  /** Undefined for robots of the system. */
  readonly project: string | undefined;
  readonly name: string;
}

/** Neither a project's nor a robot's name can hold it. */
const SEPARATOR = '+';
const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const LONGEST = 255;

export function isRobotName(text: string): boolean {
  return text.length <= LONGEST && NAME.test(text);
}

/** What the robot logs in as: "robot$ci", "robot$library+ci". The prefix is a setting, so this is never stored. */
export function loginName(prefix: string, { project, name }: RobotName): string {
  return `${prefix}${project === undefined ? '' : `${project}${SEPARATOR}`}${name}`;
}

/** Whose login name it is; undefined when no robot can have it. */
export function robotNameOf(prefix: string, login: string): RobotName | undefined {
  if (!login.startsWith(prefix)) return undefined;
  const rest = login.slice(prefix.length);
  const separator = rest.indexOf(SEPARATOR);
  const project = separator < 0 ? undefined : rest.slice(0, separator);
  const name = rest.slice(separator + 1);
  return isRobotName(name) && (project === undefined || isRobotName(project)) ? { project, name } : undefined;
}
