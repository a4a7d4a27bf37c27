import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { ProjectRobotController } from './project-robot.controller.js';
import { ProjectRobotService } from './project-robot.service.js';
import { RobotController } from './robot.controller.js';
import { RobotGrantService } from './robot-grant.service.js';
import { RobotService } from './robot.service.js';
import { RobotStore } from './robot.store.js';
import { RobotUpdateService } from './robot-update.service.js';
import { RobotViewService } from './robot-view.service.js';

/** Robots: accounts for machines, with rights of their own. */
@Module({
  imports: [AuthorizationModule],
  controllers: [RobotController, ProjectRobotController],
  providers: [RobotStore, RobotViewService, RobotGrantService, RobotService, RobotUpdateService, ProjectRobotService],
})
export class RobotModule {}
