// The module `node:constants`: of files, which is all that user space can tell apart.
import { constants } from './fs-constants.js'

export const {
  COPYFILE_EXCL,
  F_OK,
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  R_OK,
  W_OK,
  X_OK,
} = constants
export default constants
