import { Module } from '@nestjs/common';
import { MemberController } from './member.controller.js';
import { MemberService } from './member.service.js';
import { MemberStore } from './member.store.js';

/** Members of projects. */
@Module({ controllers: [MemberController], providers: [MemberStore, MemberService] })
export class MemberModule {}
