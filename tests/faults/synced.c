/* Preloaded into a node: after each fsync the file's content is copied to another folder, which
 * so holds what a power cut leaves behind when nothing survives that was not synced. A file that
 * was deleted is gone for good once its folder was synced.
 *
 * STOREBUS_DISK is the folder whose files are watched, STOREBUS_SYNCED the other one. Reads with
 * pread where it can: to close a second descriptor would drop SQLite's locks on the file.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void forget_deleted(const char *disk, const char *synced) {
    char path[PATH_MAX];
    DIR *folder = opendir(synced);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        snprintf(path, sizeof path, "%s/%s", disk, entry->d_name);
        if (entry->d_type != DT_REG || strstr(entry->d_name, ".part") || !access(path, F_OK))
            continue;
        unlinkat(dirfd(folder), entry->d_name, 0);
    }
    if (folder) closedir(folder);
}

static void keep(int fd) {
    const char *disk = getenv("STOREBUS_DISK"), *synced = getenv("STOREBUS_SYNCED");
    char link[64], path[PATH_MAX], kept[PATH_MAX], part[PATH_MAX + 8], buffer[65536];
    struct stat file;
    if (!disk || !synced || fstat(fd, &file)) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    if (!strcmp(path, disk)) forget_deleted(disk, synced);
    if (!S_ISREG(file.st_mode)) return;
    if (strncmp(path, disk, strlen(disk)) || path[strlen(disk)] != '/') return;
    snprintf(kept, sizeof kept, "%s/%s", synced, strrchr(path, '/') + 1);
    snprintf(part, sizeof part, "%s.part", kept);
    int writing_only = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
    int from = writing_only ? open(path, O_RDONLY) : fd;
    int to = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    off_t at = 0;
    ssize_t got;
    while ((got = pread(from, buffer, sizeof buffer, at)) > 0) {
        if (write(to, buffer, got) != got) abort();
        at += got;
    }
    close(to);
    if (writing_only) close(from);
    rename(part, kept);
}

#define SYNC(name)                                                      \
    int name(int fd) {                                                  \
        static int (*real)(int);                                        \
        if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, #name);        \
        int result = real(fd);                                          \
        if (!result) keep(fd);                                          \
        return result;                                                  \
    }
SYNC(fsync)
SYNC(fdatasync)
