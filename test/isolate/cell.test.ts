/** Guests in `cell` isolation keep the contract of user space. */
import { userSpaceContract } from '../contracts/user-space.ts'

userSpaceContract('cell')
