import { Module } from '@nestjs/common';
import { GroupController } from './group.controller.js';
import { GroupService } from './group.service.js';
import { GroupStore } from './group.store.js';

/** Groups of people, as directories know them. */
@Module({ controllers: [GroupController], providers: [GroupStore, GroupService] })
export class GroupModule {}
