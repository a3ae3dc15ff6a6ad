/* kit/cloud/aws/session.h - the whole of an AWS session, and what is kept in it between questions.
 */
#ifndef KIT_CLOUD_AWS_SESSION_H
#define KIT_CLOUD_AWS_SESSION_H

#include "kit/cloud/aws/ec2.h"
#include "kit/cloud/aws/profile.h"

/* The shared files, read at most once; NULL when they cannot be read (whoever needs credentials
 * from them gets the reason from aws_creds_get). */
const struct aws_profiles *aws_session_profiles(struct aws_cloud *cloud);

#endif
