/* tests/unit/actions_log.c - the form of a line, its table, and what reaches syslog. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "actions/log.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"

static char out[3 * ACT_LOG_BYTES];
static int saved_stderr, capture;

static void begin_capture(void)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    capture = dup(fileno(file));
    assert_int_equal(fclose(file), 0);
    saved_stderr = dup(STDERR_FILENO);
    assert_true(dup2(capture, STDERR_FILENO) >= 0);
}

static const char *end_capture(void)
{
    assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
    close(saved_stderr);
    ssize_t n = pread(capture, out, sizeof(out) - 1, 0);
    close(capture);
    assert_true(n >= 0);
    out[n] = '\0';
    return out;
}

static void the_form_is_fixed(void **state)
{
    struct act_log log = {.action = "restore", .tag = "vip1"};

    (void)state;
    begin_capture();
    act_log(&log, ACT_MOVED, "%s moved from %s", "10.1.0.10", "eni-1");
    assert_string_equal(end_capture(),
                        "NOTIFY:cloudvip:restore:vip1:720004:10.1.0.10 moved from eni-1\n");
    log.tag = NULL;
    begin_capture();
    act_log(&log, ACT_USAGE, "no tag");
    act_log(&log, ACT_RETRY, "again");
    assert_string_equal(end_capture(), "ERROR:cloudvip:restore::720013:no tag\n"
                                       "WARN:cloudvip:restore::720027:again\n");
}

static void a_message_is_one_line(void **state)
{
    struct act_log log = {.action = "re:store", .tag = "v:1\nERROR:cloudvip:x:y:720001:z"};
    static char big[4 * ACT_LOG_BYTES];

    (void)state;
    begin_capture();
    act_log(&log, ACT_BEGIN, "%s",
            "a\nb\tc\x1b[2Jd\xff"
            "e\xc3\xa4");
    assert_string_equal(end_capture(), "INFO:cloudvip:re?store:v?1 ERROR?cloudvip?x?y?720001?z:"
                                       "720001:a b c?[2Jd?e\xc3\xa4\n");
    log = (struct act_log){.action = "restore", .tag = "v"};
    memset(big, 'x', sizeof(big) - 1);
    begin_capture();
    act_log(&log, ACT_BEGIN, "%s", big);
    assert_int_equal(strlen(end_capture()), ACT_LOG_BYTES + 1);
    assert_int_equal(out[ACT_LOG_BYTES], '\n');
}

static void errors_tell_their_codes_once(void **state)
{
    struct act_log log = {.action = "restore", .tag = "v"};
    struct kit_err err;

    (void)state;
    (void)kit_err_set(&err, KIT_ERR_DENIED, "ReplaceRoute: UnauthorizedOperation");
    (void)kit_str_copy(err.code, sizeof(err.code), "UnauthorizedOperation");
    (void)kit_str_copy(err.request_id, sizeof(err.request_id), "7f3-1");
    err.http_status = 403;
    begin_capture();
    act_log_err(&log, ACT_DENIED, &err);
    (void)kit_err_set(&err, KIT_ERR_CONFIG, "%s", "100%s wrong");
    act_log_err(&log, ACT_CONFIG, &err);
    (void)kit_err_set(&err, KIT_ERR_DENIED, "X: Y (HTTP 403, request 7f3-1)");
    (void)kit_str_copy(err.code, sizeof(err.code), "Y");
    (void)kit_str_copy(err.request_id, sizeof(err.request_id), "7f3-1");
    err.http_status = 403;
    act_log_err(&log, ACT_DENIED, &err);
    assert_string_equal(end_capture(),
                        "ERROR:cloudvip:restore:v:720014:ReplaceRoute: UnauthorizedOperation "
                        "(HTTP 403, request 7f3-1)\n"
                        "ERROR:cloudvip:restore:v:720012:100%s wrong\n"
                        "ERROR:cloudvip:restore:v:720014:X: Y (HTTP 403, request 7f3-1)\n");
}

static void a_closed_stderr_does_no_harm(void **state)
{
    struct act_log log = {.action = "restore", .tag = "v"};
    int saved = dup(STDERR_FILENO);

    (void)state;
    close(STDERR_FILENO);
    errno = ENOENT;
    act_log(&log, ACT_BEGIN, "x");
    int left = errno;
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    assert_int_equal(left, ENOENT); /* the caller may be about to report it */
}

static void the_table_is_whole(void **state)
{
    (void)state;
    assert_true(act_message_count > 0);
    for (size_t i = 0; i < act_message_count; i++) {
        const struct act_message_info *info = &act_message_info[i];
        assert_in_range(info->code, 720001, 720999);
        assert_true(i == 0 || info->code > act_message_info[i - 1].code);
        assert_true(kit_str_starts(info->name, "ACT_"));
        assert_true(kit_str_ends(info->cause, "."));
        assert_true(kit_str_ends(info->remedy, "."));
        /* Who is woken by it has to be told what to do. */
        if (info->level == ACT_LEVEL_ERROR)
            assert_string_not_equal(info->remedy, "None.");
    }
    /* Numbers that are in use out there. */
    assert_int_equal(ACT_BEGIN, 720001);
    assert_int_equal(ACT_ELSEWHERE, 720008);
    assert_int_equal(ACT_NO_LOCK, 720028);
}

static void facilities_are_named(void **state)
{
    (void)state;
    assert_int_equal(act_log_facility(NULL), LOG_LOCAL6);
    assert_int_equal(act_log_facility("local3"), LOG_LOCAL3);
    assert_int_equal(act_log_facility("LOCAL3.info"), LOG_LOCAL3);
    assert_int_equal(act_log_facility("daemon"), LOG_DAEMON);
    assert_int_equal(act_log_facility("local8"), LOG_LOCAL6);
    assert_int_equal(act_log_facility("kern"), LOG_LOCAL6);
    assert_int_equal(act_log_facility("a name that is too long"), LOG_LOCAL6);
}

/* In a process and mount name space of its own, with a /dev that holds our end of /dev/log.  Exits
 * 0 when the datagram is right, 77 when there can be no such name space. */
static void listen_and_log(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    struct act_log log = {
        .action = "restore", .tag = "vip1", .to_syslog = true, .facility = LOG_LOCAL6};
    char got[512] = "", want[64];
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("tmpfs", "/dev", "tmpfs", 0, NULL) ||
        bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) || dup2(null, STDERR_FILENO) < 0)
        _exit(77);
    act_log(&log, ACT_ELSEWHERE, "%s", "it is elsewhere");
    if (recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) < 0)
        _exit(1);
    (void)kit_str_format(want, sizeof(want), "restore[%d]: ", (int)getpid());
    /* 22 * 8 + 3: local6, error (RFC 5424, 6.2.1). */
    _exit(kit_str_starts(got, "<179>") && strstr(got, want) &&
                  kit_str_ends(got, "ERROR:cloudvip:restore:vip1:720008:it is elsewhere")
              ? 0
              : 2);
}

static void syslog_gets_the_same_line(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        listen_and_log();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("# needs CAP_SYS_ADMIN: a mount name space of its own\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_is_fixed),
        cmocka_unit_test(a_message_is_one_line),
        cmocka_unit_test(errors_tell_their_codes_once),
        cmocka_unit_test(a_closed_stderr_does_no_harm),
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(facilities_are_named),
        cmocka_unit_test(syslog_gets_the_same_line),
    };
    return cmocka_run_group_tests_name("actions_log", tests, NULL, NULL);
}
