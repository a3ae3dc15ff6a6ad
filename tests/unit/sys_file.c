/* tests/unit/sys_file.c - reading and writing whole files, on real files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/base/str.h"
#include "kit/sys/file.h"

static char dir[] = "/tmp/sys_file.XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    if (chdir("/") != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", dir, (char *)NULL);
        _exit(1);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static void put(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void need_root(void)
{
    if (geteuid() == 0)
        return;
    print_message("# skip: needs root: owners are compared with root's\n");
    skip();
}

static void reads_what_is_there(void **state)
{
    KIT_AUTO(kit_buf) content = KIT_BUF(100000);
    struct kit_err err;
    char big[20001];

    (void)state;
    put("f", "one\n", 0644);
    assert_int_equal(kit_file_read("f", KIT_FILE_ANY, &content, &err), 0);
    assert_int_equal(kit_file_read("f", KIT_FILE_ANY, &content, &err), 0);
    assert_string_equal(content.data, "one\none\n");

    memset(big, 'b', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    put("big", big, 0600);
    kit_buf_reset(&content);
    assert_int_equal(kit_file_read("big", KIT_FILE_TRUSTED, &content, &err), 0);
    assert_string_equal(content.data, big);

    put("empty", "", 0600);
    kit_buf_reset(&content);
    assert_int_equal(kit_file_read("empty", KIT_FILE_ANY, &content, &err), 0);
    assert_string_equal(content.data, "");

    /* Its size is told as 0. */
    assert_int_equal(kit_file_read("/proc/self/status", KIT_FILE_ANY, &content, &err), 0);
    assert_true(kit_str_starts(content.data, "Name:"));
}

static void what_is_not_there(void **state)
{
    KIT_AUTO(kit_buf) content = KIT_BUF(100);
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_file_read("none", KIT_FILE_ANY, &content, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    assert_int_equal(err.sys, ENOENT);
    assert_string_equal(err.msg, "none: No such file or directory");
    put("plain", "x", 0600);
    assert_int_equal(kit_file_read("plain/none", KIT_FILE_ANY, &content, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    assert_int_equal(err.sys, ENOTDIR);
}

static void ceiling_and_nul_are_refused(void **state)
{
    KIT_AUTO(kit_buf) content = KIT_BUF_SECRET(10);
    struct kit_err err;

    (void)state;
    (void)kit_buf_puts(&content, "abcd");
    put("six", "123456", 0600);
    put("seven", "1234567", 0600);
    assert_int_equal(kit_file_read("seven", KIT_FILE_ANY, &content, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_string_equal(err.msg, "seven is larger than 6 bytes");
    assert_string_equal(content.data, "abcd");

    int fd = open("nul", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "ab\0c", 4), 4);
    close(fd);
    assert_int_equal(kit_file_read("nul", KIT_FILE_ANY, &content, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_non_null(strstr(err.msg, "NUL"));
    assert_string_equal(content.data, "abcd");

    assert_int_equal(kit_file_read("six", KIT_FILE_ANY, &content, &err), 0);
    assert_string_equal(content.data, "abcd123456");
}

/* Were it opened blocking, this would hang and the runner's limit would say so. */
static void only_regular_files(void **state)
{
    KIT_AUTO(kit_buf) content = KIT_BUF(100);
    struct kit_err err;

    (void)state;
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(kit_file_read("fifo", KIT_FILE_ANY, &content, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_string_equal(err.msg, "fifo is not a regular file");
    assert_int_equal(kit_file_read("/dev/zero", KIT_FILE_ANY, &content, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(kit_file_read(".", KIT_FILE_ANY, &content, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
}

static void root_trusts_only_its_own_files(void **state)
{
    static const mode_t bad[] = {0620, 0602, 0666, 0777};
    KIT_AUTO(kit_buf) content = KIT_BUF(100);
    struct kit_err err;

    (void)state;
    need_root();
    put("conf", "x", 0644);
    assert_int_equal(kit_file_read("conf", KIT_FILE_TRUSTED, &content, &err), 0);
    for (size_t i = 0; i < KIT_LEN(bad); i++) {
        assert_int_equal(chmod("conf", bad[i]), 0);
        assert_int_equal(kit_file_read("conf", KIT_FILE_TRUSTED, &content, &err), -1);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        assert_int_equal(kit_file_read("conf", KIT_FILE_ANY, &content, &err), 0);
    }
    assert_int_equal(kit_file_read("conf", KIT_FILE_TRUSTED, &content, &err), -1);
    assert_non_null(strstr(err.msg, "conf is owned by uid 0 with mode 0777"));
    assert_int_equal(chmod("conf", 0600), 0);
    assert_int_equal(chown("conf", 4711, 0), 0);
    assert_int_equal(kit_file_read("conf", KIT_FILE_TRUSTED, &content, &err), -1);
    assert_non_null(strstr(err.msg, "uid 4711 with mode 0600"));
    /* A link does not lend its own owner to what it points at. */
    assert_int_equal(symlink("conf", "link"), 0);
    assert_int_equal(kit_file_read("link", KIT_FILE_TRUSTED, &content, &err), -1);
}

/* As uid 4711: 0 when all is as it should be, else the number of the check that failed. */
static int trust_as_a_user(void)
{
    KIT_AUTO(kit_buf) content = KIT_BUF(100);
    struct kit_err err;

    if (setgid(4711) != 0 || setuid(4711) != 0)
        return 1;
    if (kit_file_read("/proc/self/cmdline", KIT_FILE_TRUSTED, &content, &err) != -1 ||
        err.kind != KIT_ERR_CONFIG) /* ours, but full of NULs */
        return 2;
    if (kit_file_read("mine", KIT_FILE_TRUSTED, &content, &err) != 0)
        return 3;
    if (kit_file_read("roots", KIT_FILE_TRUSTED, &content, &err) != 0)
        return 4;
    if (kit_file_read("theirs", KIT_FILE_TRUSTED, &content, &err) != -1 ||
        err.kind != KIT_ERR_CONFIG)
        return 5;
    if (kit_file_read("closed", KIT_FILE_TRUSTED, &content, &err) != -1 ||
        err.kind != KIT_ERR_SYSTEM || err.sys != EACCES)
        return 6;
    return 0;
}

static void a_user_trusts_root_and_himself(void **state)
{
    int status;

    (void)state;
    need_root();
    assert_int_equal(chmod(dir, 0755), 0);
    put("mine", "x", 0664);
    put("roots", "x", 0644);
    put("theirs", "x", 0644);
    put("closed", "x", 0600);
    assert_int_equal(chown("mine", 4711, 4711), 0);
    assert_int_equal(chown("theirs", 4712, 4712), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(trust_as_a_user());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void directories_are_checked(void **state)
{
    struct kit_err err;

    (void)state;
    assert_int_equal(mkdir("d", 0755), 0);
    assert_int_equal(kit_file_check_dir("d", &err), 0);
    assert_int_equal(chmod("d", 0775), 0);
    assert_int_equal(kit_file_check_dir("d", &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_non_null(strstr(err.msg, "mode 0775"));
    assert_int_equal(chmod("d", 01777), 0);
    assert_int_equal(kit_file_check_dir("d", &err), 0);
    assert_int_equal(kit_file_check_dir("none", &err), -1);
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    put("nodir", "", 0600);
    assert_int_equal(kit_file_check_dir("nodir", &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    if (geteuid() == 0) {
        assert_int_equal(chmod("d", 0755), 0);
        assert_int_equal(chown("d", 4711, 0), 0);
        assert_int_equal(kit_file_check_dir("d", &err), -1);
        assert_non_null(strstr(err.msg, "uid 4711"));
    }
}

static void lists_are_sorted_and_filtered(void **state)
{
    struct kit_err err;

    (void)state;
    KIT_AUTO(kit_file_names) names = {0};
    assert_int_equal(kit_file_list("nowhere", ".conf", &names, &err), 0);
    assert_int_equal(names.count, 0);
    assert_int_equal(mkdir("r.d", 0755), 0);
    assert_int_equal(kit_file_list("r.d", ".conf", &names, &err), 0);
    assert_int_equal(names.count, 0);
    put("r.d/b.conf", "", 0600);
    put("r.d/a.conf", "", 0600);
    put("r.d/B.conf", "", 0600);
    put("r.d/10.conf", "", 0600);
    put("r.d/.hidden.conf", "", 0600);
    put("r.d/a.conf~", "", 0600);
    put("r.d/conf", "", 0600);
    assert_int_equal(kit_file_list("r.d", ".conf", &names, &err), 0);
    assert_int_equal(names.count, 4);
    assert_string_equal(names.name[0], "10.conf");
    assert_string_equal(names.name[1], "B.conf");
    assert_string_equal(names.name[2], "a.conf");
    assert_string_equal(names.name[3], "b.conf");

    struct kit_file_names kept = names;
    put("plainfile", "", 0600);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_int_equal(kit_file_list("dangling", "", &names, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(kit_file_list("plainfile", "", &names, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_SYSTEM);
    assert_ptr_equal(names.name, kept.name);
}

static void lists_have_a_ceiling(void **state)
{
    KIT_AUTO(kit_file_names) names = {0};
    struct kit_err err;
    char name[32];

    (void)state;
    assert_int_equal(mkdir("many", 0755), 0);
    for (int i = 0; i < 4097; i++) {
        assert_true(kit_str_format(name, sizeof(name), "many/%04d", i));
        int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    assert_int_equal(kit_file_list("many", "", &names, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(names.count, 0);
    assert_int_equal(unlink("many/0000"), 0);
    assert_int_equal(kit_file_list("many", "", &names, &err), 0);
    assert_int_equal(names.count, 4096);
    assert_string_equal(names.name[4095], "4096");
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void writing_replaces_the_file(void **state)
{
    KIT_AUTO(kit_buf) content = KIT_BUF(100);
    KIT_AUTO(kit_file_names) names = {0};
    struct kit_err err;
    struct stat before, after;

    (void)state;
    assert_int_equal(mkdir("w", 0755), 0);
    mode_t mask = umask(077);
    assert_int_equal(kit_file_write("w/rec", "first", 5, 0644, false, &err), 0);
    assert_int_equal(mode_of("w/rec"), 0644);
    assert_int_equal(stat("w/rec", &before), 0);
    int old = open("w/rec", O_RDONLY | O_CLOEXEC);
    assert_int_equal(kit_file_write("w/rec", "2nd", 3, 0600, true, &err), 0);
    umask(mask);
    assert_int_equal(mode_of("w/rec"), 0600);
    assert_int_equal(stat("w/rec", &after), 0);
    assert_true(before.st_ino != after.st_ino);

    char text[10];
    assert_int_equal(read(old, text, sizeof(text)),
                     5); /* who had it open reads the old one whole */
    close(old);
    assert_memory_equal(text, "first", 5);
    assert_int_equal(kit_file_read("w/rec", KIT_FILE_ANY, &content, &err), 0);
    assert_string_equal(content.data, "2nd");
    assert_int_equal(kit_file_write("here", "", 0, 0600, true, &err), 0); /* no directory part */
    assert_int_equal(kit_file_list("w", "", &names, &err), 0);
    assert_int_equal(names.count, 1);
}

/* Counts what kit_file_list would hide, too. */
static unsigned entries(const char *path)
{
    unsigned n = 0;
    DIR *d = opendir(path);

    assert_non_null(d);
    while (readdir(d))
        n++;
    assert_int_equal(closedir(d), 0);
    return n - 2; /* "." and ".." */
}

static void failed_writing_changes_nothing(void **state)
{
    KIT_AUTO(kit_buf) content = KIT_BUF(100);
    struct rlimit before, small;
    struct kit_err err;
    char data[100] = {0};

    (void)state;
    assert_int_equal(kit_file_write("no/such/dir", "x", 1, 0600, false, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_SYSTEM);
    assert_int_equal(err.sys, ENOENT);

    assert_int_equal(mkdir("full", 0755), 0);
    put("full/rec", "old", 0600);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){10, before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = kit_file_write("full/rec", data, sizeof(data), 0600, false, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(rc, -1);
    assert_int_equal(err.sys, EFBIG);
    assert_int_equal(entries("full"), 1);
    assert_int_equal(kit_file_read("full/rec", KIT_FILE_ANY, &content, &err), 0);
    assert_string_equal(content.data, "old");

    assert_int_equal(mkdir("full/sub", 0755), 0);
    assert_int_equal(kit_file_write("full/sub", "x", 1, 0600, false, &err),
                     -1); /* rename refuses */
    assert_int_equal(entries("full"), 2);
}

static void makes_directories(void **state)
{
    struct kit_err err;
    struct stat st;

    (void)state;
    mode_t mask = umask(077);
    assert_int_equal(kit_file_make_dir("run/a//b/", 0755, &err), 0);
    umask(mask);
    assert_int_equal(mode_of("run"), 0755);
    assert_int_equal(mode_of("run/a/b"), 0755);
    assert_int_equal(kit_file_make_dir("run/a/b", 0700, &err), 0); /* stays as it is */
    assert_int_equal(mode_of("run/a/b"), 0755);
    assert_int_equal(kit_file_make_dir("run/g", 0775, &err), 0); /* others may: it was asked for */
    assert_int_equal(kit_file_make_dir("run/g", 0755, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);

    char path[PATH_MAX];
    assert_true(kit_str_format(path, sizeof(path), "%s/abs/x", dir));
    assert_int_equal(kit_file_make_dir(path, 0700, &err), 0);
    assert_int_equal(stat("abs/x", &st), 0);
    assert_int_equal(kit_file_make_dir("", 0700, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_SYSTEM);
    memset(path, 'n', 300);
    path[300] = '\0';
    assert_int_equal(kit_file_make_dir(path, 0700, &err), -1);
    assert_int_equal(err.sys, ENAMETOOLONG);
}

static void refuses_dangerous_directories(void **state)
{
    struct kit_err err;

    (void)state;
    assert_int_equal(mkdir("real", 0755), 0);
    assert_int_equal(symlink("real", "alias"), 0);
    assert_int_equal(kit_file_make_dir("alias", 0755, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(symlink("dangling", "alias2"), 0);
    assert_int_equal(kit_file_make_dir("alias2", 0755, &err), -1);
    assert_int_equal(access("dangling", F_OK), -1);
    /* On the way to it links are fine: /var/run is one. */
    assert_int_equal(kit_file_make_dir("alias/sub", 0755, &err), 0);
    assert_int_equal(access("real/sub", F_OK), 0);

    assert_int_equal(chmod("real", 01777), 0);
    assert_int_equal(kit_file_make_dir("real", 0755, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    put("isfile", "", 0600);
    assert_int_equal(kit_file_make_dir("isfile", 0755, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(kit_file_make_dir("isfile/sub", 0755, &err), -1);
    if (geteuid() == 0) {
        assert_int_equal(mkdir("alien", 0755), 0);
        assert_int_equal(chown("alien", 4711, 0), 0);
        assert_int_equal(kit_file_make_dir("alien", 0755, &err), -1);
        assert_non_null(strstr(err.msg, "uid 4711"));
    }
}

/* Every call above, the failed ones too, gave its descriptors back. */
static void no_descriptor_is_left_open(void **state)
{
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    close(next);
    assert_in_range(next, 0, *(int *)*state);
}

static int note_next_fd(void **state)
{
    static int next;

    if (make_dir(state) != 0)
        return -1;
    next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(next);
    *state = &next;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_there),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(ceiling_and_nul_are_refused),
        cmocka_unit_test(only_regular_files),
        cmocka_unit_test(root_trusts_only_its_own_files),
        cmocka_unit_test(a_user_trusts_root_and_himself),
        cmocka_unit_test(directories_are_checked),
        cmocka_unit_test(lists_are_sorted_and_filtered),
        cmocka_unit_test(lists_have_a_ceiling),
        cmocka_unit_test(writing_replaces_the_file),
        cmocka_unit_test(failed_writing_changes_nothing),
        cmocka_unit_test(makes_directories),
        cmocka_unit_test(refuses_dangerous_directories),
        cmocka_unit_test(no_descriptor_is_left_open),
    };
    return cmocka_run_group_tests_name("sys_file", tests, note_next_fd, remove_dir);
}
