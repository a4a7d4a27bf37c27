import { can, canOnSystem, type Action, type Caller } from '@haven/access';
import { Problem } from '@haven/api';
import { requireLogin } from '../authorization/admission.js';
import type { KnownProject } from '../authorization/known-project.js';
import type { RobotRow } from './robot.store.js';

const NO_ROBOT = 'there is no such robot';

/**
 * The robot, when the caller may do this to it: by the permission on the system for robots of the system, by that in the
 * project for those of a project. A robot that is not there, one of the system and one of a hidden project look alike to
 * everybody who may not do it; those who may do it to robots of the system see neither of the others.
 *
 * @param project of the robot, with the caller's roles; undefined for robots of the system
 */
export function admitToRobot(caller: Caller, robot: RobotRow | undefined, project: KnownProject | undefined, action: Action): RobotRow {
  requireLogin(caller);
  const onSystem = canOnSystem(caller, action, 'robot');
  const admitted = robot?.project === undefined ? onSystem : project !== undefined && can(caller, action, 'robot', project);
  if (robot !== undefined && admitted) return robot;
  if (onSystem) throw new Problem('NOT_FOUND', NO_ROBOT);
  throw new Problem('FORBIDDEN', `your account may not ${action} this robot; ask an administrator of its project or of the system`);
}
